"""A search as people see it: sentences, terminal, page."""
