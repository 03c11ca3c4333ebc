"""What remains of a net when sets of its blocks are cut (Veit et al. 2016, section 4.2)."""
