"""Stops a run before training where the data does not match its schema."""
