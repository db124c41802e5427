"""Log ExampleGen: raw logs to tf.Examples in splits."""
