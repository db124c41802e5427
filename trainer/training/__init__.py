"""The training itself: steps, validation, checkpoints, history, methods."""
