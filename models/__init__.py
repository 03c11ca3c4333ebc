"""Plain and residual nets as values of one block algebra."""
