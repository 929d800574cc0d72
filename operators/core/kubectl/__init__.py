"""What kubectl decides on its own side for the built-in workloads, for every workload: no I/O, kubectl's words."""
