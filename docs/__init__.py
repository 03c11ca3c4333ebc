"""What explains the project: its picture, its words, its ways, its decisions."""
