"""TFX components, one folder each: ingestion, slice evaluation, deployment gate, report."""
