"""What can go wrong with the embedded cluster, said in words that a user can act on."""


class ClusterError(Exception):
    """Something that the user has to know, as one clear message; the command line prints it and exits with 1."""
