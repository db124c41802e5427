"""Scores files of logs with a served model, on Beam."""
