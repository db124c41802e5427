"""HoME and what belongs to it alone."""
