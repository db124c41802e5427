"""Evaluates candidate, baseline and reference per task and slice, with paired intervals."""
