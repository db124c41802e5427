"""Layers with weights of a domain's own."""
