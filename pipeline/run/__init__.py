"""A run on this machine, node by node."""
