"""What the skew guard found, as Markdown."""

from mtlx.components.report.formatting import count, short
from mtlx.components.skew_guard.skew_result import Skew
from mtlx.kubeflow.page.markdown import plain, table

#: Features that the page shows; the report has more of each.
_MOST = 10


def skew_summary(uri: str) -> list[str]:
    """How far what was served differs from what was logged.

    Args:
        uri: of what SkewGuard found.
    """
    skew = Skew.load(uri)
    lines = [f"- {plain(note)}" for note in skew.notes]
    if skew.comparison is None:
        return lines
    lines += ["", f"## {plain(skew.comparison.words)}", "", plain(skew.line or "")]
    rows = [
        (plain(one.task), count(one.compared), count(one.differing), short(one.largest),
         plain(one.unusable_words), "beyond" if one.beyond else "")
        for one in skew.scores
    ]  # fmt: skip
    if rows:
        lines += table(("Score", ">Compared", ">Differ", ">Largest by", "No probability", ""), rows)
    rows = [
        (plain(feature.name), plain(m.measure), short(m.value), short(m.noise),
         short(m.threshold) if m.threshold else "none", "beyond" if m.beyond else "")
        for feature in skew.comparison.features[:_MOST]
        for m in feature.movements
    ]  # fmt: skip
    lines += table(
        ("Feature", "Measure", ">Differs by", ">By chance up to", ">Threshold", ""), rows
    )
    if skew.joined is not None and skew.joined.features:
        lines += [f"Of {count(skew.joined.found)} rows with the same {plain(skew.joined.key)}:"]
        unequal = [
            (plain(one.movement.of), short(one.movement.value), short(one.movement.threshold))
            for one in skew.joined.features[:_MOST]
        ]
        lines += table(("Feature", ">Share of rows with unequal values", ">Threshold"), unequal)
    return lines
