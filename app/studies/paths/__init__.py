"""What the paths of a net carry of its gradient (Veit et al. 2016)."""
