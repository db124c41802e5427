"""An experiment run day by day over past spans, as it would have run, and what came of it."""
