"""What frames every page: the address, the visitor, answers that are on their way."""
