"""What the analysis of the training data found, by TFT or in one pass, and models from it."""
