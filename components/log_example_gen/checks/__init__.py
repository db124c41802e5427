"""What rows are held against."""
