"""Notes runs in a tracking server, beside the pipeline's own records."""
