"""The priorities: one file each, with a function that scores the nodes that a pod can go to from 0 to 100."""
