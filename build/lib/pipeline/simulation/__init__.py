"""Writes e-commerce impression logs whose true probabilities are known."""
