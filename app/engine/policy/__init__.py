"""What may run, for how long, and in whose turn."""
