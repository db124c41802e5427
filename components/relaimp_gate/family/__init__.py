"""What the checks of one verdict decide together."""
