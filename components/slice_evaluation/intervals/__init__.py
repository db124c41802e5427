"""What is known of an estimate: bounds at any level, and the chance of the training."""
