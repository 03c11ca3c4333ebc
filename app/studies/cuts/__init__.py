"""One cut, in the hand: what it does to errors, classes and single pictures."""
