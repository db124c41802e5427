"""Rows of the logs, read on this machine without Beam and TensorFlow, all of them or a sample."""
