"""The numbers of slices and their intervals."""
