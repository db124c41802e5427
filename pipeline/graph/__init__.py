"""The pipeline graph, for every runner."""
