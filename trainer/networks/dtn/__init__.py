"""DTN and what belongs to it alone."""
