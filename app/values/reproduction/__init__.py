"""What the literature claims, as cards that a class can measure again, and what may be said of the outcome."""
