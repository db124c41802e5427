"""Templates of the page of a comparison."""
