"""What was found as the report shows it, opened in a real browser."""

import re

import pytest

from mtlx.components.model_insight.insight_result import FoundInsight, ModelInsights
from mtlx.components.report.render import render
from mtlx.components.report.report_data import ReportData


@pytest.fixture(scope="module")
def insights(found):
    absent = FoundInsight(
        name="gates", title="Gates of another", reason="network 'shared_bottom' has no gates"
    )
    return ModelInsights(total=3000, insights=[*found.values(), absent])


@pytest.fixture(scope="module")
def page(insights):
    return render(ReportData(title="planted", run_id=None, created="today", insight=insights))


@pytest.fixture(scope="module")
def opened(open_page, page):
    """The DOM with every part open, and the browser's log."""
    return open_page(page.replace("<details>", "<details open>"))


def test_every_part_is_there_and_nothing_is_wrong(opened, found):
    dom, log = opened
    assert "CONSOLE" not in log, log
    text = " ".join(re.sub(r"<[^>]+>", " ", dom).split())
    for words in (
        "Insight", "Feature importance, 3,000 rows", "Where tasks part ways", "click and buy",
        "Gate weights of click", "expert_1", "By label", "t-SNE", "Rate of the action",
        "Attention over positions", "category in viewed",
        "Gates of another: nothing to show; network &#39;shared_bottom&#39; has no gates.",
    ):  # fmt: skip
        assert words in text or words.replace("&#39;", "'") in text, words
    own = found["importance"].values["tasks"]["click"]["overall"]
    assert f"{own['importance']['a']:.4f} ± {own['error']['a']:.4f}" in text
    assert not re.search(r"url\(|@import|<script|https?://|NaN|None", dom)


def test_the_page_is_closed_at_first_and_its_drawings_are_described(page, insights):
    section = page[page.index('<section id="insight"') :]
    section = section[: section.index("</section>")]
    before, _, _ = section.partition("<details>")
    assert "<table" not in before and "<svg" not in before and "<details open" not in section
    plots = sum(figure.kind == "plot" for one in insights.insights for figure in one.figures)
    assert section.count('<figure class="chart plot">') == plots == 7
    labels = re.findall(r'<svg viewBox[^>]* aria-label="([^"]+)"', section)
    assert len([label for label in labels if len(label) > 30]) == plots
    # A plot of many points is one path a series.
    assert len(section) < 150_000


def test_nobody_asked_for_it(report_without=ReportData("t", None, "today")):
    assert 'id="insight"' not in render(report_without)


def test_what_was_found_survives_its_file(insights, tmp_path):
    insights.save(str(tmp_path))
    assert ModelInsights.load(str(tmp_path)) == insights
    (tmp_path / "insight.json").write_text("{}")
    with pytest.raises(ValueError, match=r"insight\.json holds no insights of this release"):
        ModelInsights.load(str(tmp_path))
