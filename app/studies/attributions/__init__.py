"""Which pixels speak for a class."""
