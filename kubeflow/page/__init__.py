"""What the Kubeflow Pipelines page shows of each node."""

from kubeflow.page.page_context import PageContext
from kubeflow.task_outputs import TaskOutputs
from pipeline.node_run import NodeOutcome


def write_page(
    node_id: str, outcome: NodeOutcome, outputs: TaskOutputs, context: PageContext
) -> None:
    """Writes the summary of a node."""
    if not outputs.has("summary"):
        return
    lines = [f"# {node_id}", "", f"{outcome.state.value}, {context.seconds:.1f} s", ""]
    lines += [f"- {name}: {', '.join(uris)}" for name, uris in outcome.outputs.items()]
    outputs.path("summary").write_text("\n".join(lines) + "\n", encoding="utf-8")
