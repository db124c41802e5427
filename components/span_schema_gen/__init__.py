"""The schema of the training rows, begun with that of the model blessed last."""
