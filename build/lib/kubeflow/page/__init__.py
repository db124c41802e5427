"""What the Kubeflow Pipelines page shows of each node."""

from kubeflow.page.declared_outputs import declared_outputs, roc_names
from kubeflow.page.page_context import PageContext
from kubeflow.page.write_page import write_page

__all__ = ["PageContext", "declared_outputs", "roc_names", "write_page"]
