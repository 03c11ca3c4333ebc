"""A figure beside its reference: how it is judged, kept in `results/`, and shown as a table."""
