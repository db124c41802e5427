"""Which rows the models that a gate compares have seen."""
