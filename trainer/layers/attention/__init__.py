"""Attention, Transformers and what sequences need."""
