"""Several trainings of one model, from a seed each."""
