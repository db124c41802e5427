"""Which split a row is in."""
