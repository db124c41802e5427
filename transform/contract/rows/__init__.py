"""What is said of rows: their labels, what they count for, which of them train."""
