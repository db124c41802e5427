"""Parts of a model below its network."""
