"""The compiled package of Kubeflow Pipelines."""
