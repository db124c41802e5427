"""Benchmarks; each is a command with ``--help``."""
