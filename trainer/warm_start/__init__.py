"""Warm start: a training that begins with the weights of a base model."""
