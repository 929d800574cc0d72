"""The scheduler extender: a snapshot of the cluster in arrays, a file per rule, and what kube-scheduler asks."""
