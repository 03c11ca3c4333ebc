"""What an analysis or a query returns: named NumPy arrays, never a tensor, never a figure."""
