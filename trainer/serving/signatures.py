"""Names of the signatures that an exported model has."""

#: For serialised `tf.Example`s; what is evaluated and served.
EXAMPLES_SIGNATURE = "serving_default"
#: For raw tensors, for callers without `tf.Example`.
COLUMNS_SIGNATURE = "serving_columns"
#: Counts, for the same raw tensors, what the model does not know.
COUNTS_SIGNATURE = "serving_counts"
