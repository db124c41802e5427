"""Resolver nodes: what is found in ML-Metadata, and how."""
