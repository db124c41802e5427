"""Trainings in processes of their own, on examples that are read and transformed once."""
