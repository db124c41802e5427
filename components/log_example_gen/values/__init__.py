"""Columns of any type as the values of tf.Examples."""
