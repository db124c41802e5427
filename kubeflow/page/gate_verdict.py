"""The gate's verdict with every check, as Markdown."""

from mtlx.components.relaimp_gate.verdict import Check, ModelLineage, Verdict
from mtlx.components.report.formatting import measured, p_value, typeset
from mtlx.components.report.render import MODEL_NAMES
from mtlx.kubeflow.page.markdown import plain, table

#: Checks that are listed; what blocks always comes first.
_MAXIMUM_CHECKS = 300

_LINEAGE_TITLES = ("Model", "Logs", "Trained and selected on", "Tested on", "Seen of these rows")


def gate_verdict(verdict: Verdict) -> str:
    """Returns the decision, what it was compared with, the checks, and what each model has seen.

    Args:
        verdict: of any gate; a stock one gives no reasons.
    """
    blocking = [check for check in verdict.checks if not check.passed]
    lines = ["# ✔ Blessed" if verdict.blessed else "# ✘ Not blessed", ""]
    if not verdict.checks:
        return "\n".join([*lines, "The blessing gives no reasons."]) + "\n"
    skipped = sum(not check.applicable for check in verdict.checks)
    if blocking:
        holds = "holds" if len(blocking) == 1 else "hold"
        lines.append(f"{len(blocking)} of {len(verdict.checks)} checks {holds} the candidate back.")
    else:
        lines.append(f"{len(verdict.checks) - skipped} checks are met, {skipped} did not apply.")
    if verdict.baseline:
        lines.append(f"Compared with the {MODEL_NAMES[verdict.baseline]}.")
    else:
        lines.append("There was no model to compare with.")
    if verdict.family is not None:
        lines.append(plain(typeset(verdict.family.words)))
    if verdict.seeds:
        lines.append(plain(typeset(verdict.seeds)))
    ordered = sorted(verdict.checks, key=lambda check: (check.passed, not check.applicable))
    titles = ("Result", "Task", "Slice", "Rule", "Asked for", "Measured", "Interval", "p")
    lines += table(titles, [_row(check) for check in ordered[:_MAXIMUM_CHECKS]])
    if len(ordered) > _MAXIMUM_CHECKS:
        lines.append(f"The first {_MAXIMUM_CHECKS} of {len(ordered)} checks.")
    if blocking:
        lines += ["## What holds it back", ""]
        lines += [f"- {plain(typeset(check.message))}" for check in blocking[:_MAXIMUM_CHECKS]]
        lines.append("")
    if verdict.lineage:
        lines += ["## Which rows each model has seen", ""]
        lines += table(_LINEAGE_TITLES, [_seen(seen) for seen in verdict.lineage])
    return "\n".join(lines) + "\n"


def _row(check: Check) -> tuple[str, ...]:
    result = "✔ met" if check.passed else "**✘ blocks**"
    if not check.applicable:
        result = "does not apply"
    value = "undefined" if check.value is None else measured(check.rule, check.value)
    interval = ""
    if check.lower is not None and check.upper is not None:
        interval = f"{measured(check.rule, check.lower)} to {measured(check.rule, check.upper)}"
    return (
        result,
        plain(check.task),
        plain(check.slice),
        plain(check.rule),
        plain(typeset(check.threshold)),
        value if check.applicable else "",
        interval,
        _p_values(check),
    )


def _p_values(check: Check) -> str:
    """That of the check alone and, in a family, that among all."""
    known = (number for number in (check.p_value, check.adjusted_p_value) if number is not None)
    return plain(" → ".join(map(p_value, known)))


def _seen(seen: ModelLineage) -> tuple[str, ...]:
    rows = f"**{seen.seen_test_rows}**" if seen.leaks else seen.seen_test_rows
    texts = (MODEL_NAMES.get(seen.model, seen.model), seen.examples, seen.trained_on)
    return (*(plain(text) for text in texts), plain(seen.tested_on), rows)
