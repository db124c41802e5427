"""Columns that hold several values a row."""
