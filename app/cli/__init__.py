"""`python -m app`: one file a group of verbs."""
