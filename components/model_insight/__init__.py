"""What the trained model goes by, computed on the evaluated rows for the report."""
