"""How far the newest examples have moved from those before them; warns, or stops the run."""
