"""Serves an exported model as strangers will, before it is pushed."""
