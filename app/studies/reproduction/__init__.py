"""What the literature claims, measured again: cards with a verdict each."""
