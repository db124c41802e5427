"""What a run notes of itself, from its first moment to its last."""
