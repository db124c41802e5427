"""Runs a compiled package here, task by task, as Kubeflow Pipelines would on a cluster."""
