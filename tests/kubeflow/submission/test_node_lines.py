import io

import pytest
from rich.console import Console

from mtlx.kubeflow.submission.node_lines import NodeLines
from mtlx.kubeflow.submission.run_plan import RunPlan
from mtlx.kubeflow.submission.run_verdict import TaskState


@pytest.mark.parametrize("terminal", [True, False])
def test_every_task_is_printed_once_when_it_ends(terminal):
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=100, color_system=None)
    with NodeLines(console) as lines:
        lines.states({"trainer": TaskState("trainer", "RUNNING")})
        assert "trainer" in lines.at_work().plain
        lines.problem("503")
        lines.problem("503")
        assert "asking again" in lines.at_work().plain
        ended = {"trainer": TaskState("trainer", "SUCCEEDED", 75.0)}
        lines.states(ended)
        lines.states(ended)
        lines.states({**ended, "gate": TaskState("gate", "FAILED", 1.0, "out of memory [red]")})
        lines.states({**ended, "gate": TaskState("gate", "RUNTIME_STATE_UNSPECIFIED")})
        assert lines.at_work().plain == ""
    printed = output.getvalue()
    assert printed.count("complete") == 1 and "75 s" in printed
    assert "out of memory [red]" in printed
    if not terminal:
        assert printed.count("503") == 1


@pytest.mark.parametrize("text", ["", "a: 1", "[]"])
def test_what_is_no_package_is_refused(text):
    with pytest.raises(ValueError, match="PipelineSpec"):
        RunPlan.read(text)
