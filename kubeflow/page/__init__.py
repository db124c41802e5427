"""What the Kubeflow Pipelines page shows of each node."""

from mtlx.kubeflow.page.declared_outputs import declared_outputs, roc_names
from mtlx.kubeflow.page.page_context import PageContext
from mtlx.kubeflow.page.write_page import write_page

__all__ = ["PageContext", "declared_outputs", "roc_names", "write_page"]
