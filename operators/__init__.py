"""Kubernetes' workload controllers as a Python operator on Kopf."""
