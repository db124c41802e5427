"""Public data sets in their own layouts, one file each."""
