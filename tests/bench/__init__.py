"""The benchmark: Kopfwerk's controllers beside kube-controller-manager's, by turns on one embedded apiserver.

`python -m tests.bench` (or `make bench`) runs it; docs/benchmark.md says what is measured, and how to read it.
"""
