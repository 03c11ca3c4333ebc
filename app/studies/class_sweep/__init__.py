"""The class as a degradation sweep: every run a point, depth against error."""
