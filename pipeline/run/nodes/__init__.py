"""The nodes of a run: their order, and two of them at once."""
