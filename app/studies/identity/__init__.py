"""The identity argument: built, trained on, learned (He et al. 2015, section 1)."""
