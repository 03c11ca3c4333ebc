"""What is asked of a trained net: each module one question, a function from a net and images to a result."""
