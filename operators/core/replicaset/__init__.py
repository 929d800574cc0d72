"""ReplicaSet: keep so many pods of a template. Mirrors pkg/controller/replicaset."""
