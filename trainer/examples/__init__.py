"""Transformed examples as batches, in memory where they fit."""
