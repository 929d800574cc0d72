"""What decides. Nothing here does I/O, reads a clock or draws a random number: everything arrives as an argument."""
