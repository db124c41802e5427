"""Vectors that values come with: read from a file, and given to a model."""
