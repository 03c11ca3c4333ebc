"""What is fast, measured beside its reference in the same run: `python -m benchmarks [--device cuda] [CASE…]`."""
