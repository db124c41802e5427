"""Optimisers, learning rates, averages of weights."""
