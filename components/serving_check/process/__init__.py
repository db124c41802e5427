"""The process that serves the model, and what starts it."""
