"""The shell around the rules: it reads, waits, writes and measures, and decides nothing."""
