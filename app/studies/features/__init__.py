"""What a net sees on its way: maps, kernels, what excites a channel."""
