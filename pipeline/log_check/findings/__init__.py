"""What a look at the logs may find."""
