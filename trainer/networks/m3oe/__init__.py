"""M3oE and what belongs to it alone."""
