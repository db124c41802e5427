"""What the report's sections show."""
