"""A run to take away: its files in a folder or a zip, and scripts that repeat it. Without torch."""
