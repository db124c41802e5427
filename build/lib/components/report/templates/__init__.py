"""Jinja templates and the style sheet of the report."""
