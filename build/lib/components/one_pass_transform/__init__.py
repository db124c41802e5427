"""TFX component: Transform with one pass of analysis and whole batches throughout."""
