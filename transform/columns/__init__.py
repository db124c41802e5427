"""Values of columns as the transform graph takes them."""
