"""Templates of the page of all runs."""
