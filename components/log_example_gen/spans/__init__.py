"""Portions of the logs: which there are, which a run is made of, and what is known of them."""
