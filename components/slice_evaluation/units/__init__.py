"""Rows of one user, or of one request, brought together: what metrics of rankings are made of."""
