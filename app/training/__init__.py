"""Training: the loop, its step, and everything that runs a net forward."""
