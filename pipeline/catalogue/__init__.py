"""What an experiment file can name and set."""
