"""What the embedding of all fields is made of."""
