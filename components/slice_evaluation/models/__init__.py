"""The models of an evaluation, and whether they can be compared."""
