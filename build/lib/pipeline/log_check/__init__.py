"""``mtlx check``: what the logs hold, and what of it would spoil a run."""
