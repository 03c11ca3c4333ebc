"""What every study needs to measure: a net as it was at a moment, its images, how far it is."""
