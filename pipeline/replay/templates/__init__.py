"""Templates of the page of a replay."""
