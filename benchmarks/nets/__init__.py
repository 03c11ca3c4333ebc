"""What a worker does, measured in this process: training, measuring, decomposing."""
