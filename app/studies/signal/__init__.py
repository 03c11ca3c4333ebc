"""The signal on its way forward (He et al. 2015, figure 7)."""
