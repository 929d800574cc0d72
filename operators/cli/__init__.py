"""The command lines: `kopfwerk` and the kubectl plugin."""
