"""What the page shows of a serving check, and the boolean that Pusher waits for."""

import pytest

from mtlx.components.serving_check.serving_outcome import Latency, ServingFinding, ServingOutcome
from mtlx.pipeline.run.node_run import NodeState


@pytest.mark.parametrize("blessed", [True, False])
def test_findings_and_latencies_are_tables_and_the_outcome_a_boolean(page, tmp_path, blessed):
    uri = str(tmp_path / "infra_blessing")
    findings = [
        ServingFinding("process", True, "it loads"),
        ServingFinding("latency", blessed, "p50 of 1|2 rows is 3 ms"),
    ]
    latencies = [Latency(1, 1.25, 2.5), Latency(1000, 30.0, 41.0, 28.0, 39.0)]
    ServingOutcome(blessed, True, findings, latencies, 8.1, 4 * blessed).save(uri)
    written = page("ServingCheck", parameters=["blessed"], infra_blessing=uri)
    assert written.output["parameterValues"] == {"blessed": blessed}
    text = written.text("summary")
    assert ("## ✔ It can be served" in text) is blessed
    assert ("| **✘ blocks** | latency | p50 of 1\\|2 rows is 3 ms |" in text) is not blessed
    assert "| 1 | 1.25 | 2.5 | – | – |" in text and "| 1,000 | 30 | 41 | 28 | 39 |" in text
    if not blessed:
        assert text.index("blocks") < text.index("it loads")
    assert written.metadata("summary")["tfx_uri/infra_blessing"] == uri


def test_what_the_gate_holds_back_is_a_no_without_findings(page, tmp_path):
    uri = str(tmp_path / "infra_blessing")
    ServingOutcome(False, False).save(uri)
    written = page("ServingCheck", NodeState.SKIPPED, parameters=["blessed"], infra_blessing=uri)
    assert written.output["parameterValues"] == {"blessed": False}
    assert "The gate holds the candidate back, so it was not served." in written.text("summary")


def test_an_outcome_that_cannot_be_read_fails_the_task(page, tmp_path):
    """Pusher waits for the boolean: what is not known is not pushed."""
    with pytest.raises(FileNotFoundError):
        page("ServingCheck", parameters=["blessed"], infra_blessing=str(tmp_path / "none"))
