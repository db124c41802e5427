"""Whether what was served is what was logged: features and scores of serving logs."""
