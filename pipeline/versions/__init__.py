"""The versions that an experiment pushed, and the way back to one of them."""
