"""What the Kubeflow Pipelines page shows of each node."""

from kubeflow.page.declared_outputs import declared_outputs, roc_names

__all__ = ["declared_outputs", "roc_names"]
