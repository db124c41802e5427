"""The runs of an experiment, as a table and as a page with curves over time."""
