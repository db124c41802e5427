"""What is found out about a run once it is over."""
