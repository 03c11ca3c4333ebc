"""What lies beside the database: weights, recordings, what is on its way in, and the lock."""
