"""What the serving check found, as Markdown."""

from mtlx.components.report.formatting import count, duration, short
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.kubeflow.page.markdown import plain, table


def serving_summary(uri: str) -> list[str]:
    """The findings, then latencies; what keeps the model from being pushed comes first.

    Args:
        uri: of the InfraBlessing.
    """
    outcome = ServingOutcome.load(uri)
    if not outcome.checked:
        return ["## Not served", "", "The gate holds the candidate back, so it was not served."]
    title = "## ✔ It can be served" if outcome.blessed else "## ✘ It is not pushed"
    ordered = sorted(outcome.findings, key=lambda finding: finding.passed)
    rows = [
        (
            "✔ met" if finding.passed else "**✘ blocks**",
            plain(finding.subject),
            plain(finding.message),
        )
        for finding in ordered
    ]
    lines = [title, *table(("Result", "What", "Found"), rows)]
    if outcome.latencies:
        titles = (">Rows", ">p50, ms", ">p99, ms", ">Served model, p50", ">Served model, p99")
        lines += table(
            titles,
            [
                (
                    count(latency.rows),
                    *(short(value) for value in (latency.p50, latency.p99)),
                    *(short(value) for value in (latency.served_p50, latency.served_p99)),
                )
                for latency in outcome.latencies
            ],
        )
    return [
        *lines,
        f"Served on trial in {duration(outcome.seconds)}; the model holds "
        f"{count(outcome.warm_up_requests)} warm-up requests.",
    ]
