"""Is the gradient a signal or noise? (Balduzzi et al. 2017)"""
