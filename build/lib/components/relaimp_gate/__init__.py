"""Decides per task and slice whether a candidate may replace what is served."""
