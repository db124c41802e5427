"""Names of the signatures that an exported model has."""

#: For serialised `tf.Example`s; what is evaluated and served.
EXAMPLES_SIGNATURE = "serving_default"
#: For raw tensors, for callers without `tf.Example`.
COLUMNS_SIGNATURE = "serving_columns"
#: For one user and many items: what is the request's once, what is an item's for each.
REQUEST_SIGNATURE = "serving_request"
#: Counts, for the same raw tensors, what the model does not know.
COUNTS_SIGNATURE = "serving_counts"
