"""The predicates: one file each, with a function that says which nodes a pod cannot go to, and why."""
