"""The gradient at every layer and block, at every step."""
