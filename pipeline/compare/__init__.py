"""Several models trained on the same transformed examples, and which of them is the best."""
