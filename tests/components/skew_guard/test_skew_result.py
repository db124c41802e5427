"""What is said of a result: in a file and back, in words, on the report's page."""

import re

import pytest

from mtlx.components.report.render import render
from mtlx.components.report.report_data import ReportData
from mtlx.components.skew_guard.skew_result import Skew
from tests.components.skew_guard.made_skew import made_skew


@pytest.fixture
def skew():
    return made_skew()


def test_it_comes_back_as_it_was_written(skew, tmp_path):
    skew.save(str(tmp_path))
    assert Skew.load(str(tmp_path)) == skew
    Skew(notes=("none",)).save(str(tmp_path))
    assert Skew.load(str(tmp_path)) == Skew(notes=("none",))


def test_it_is_said_in_words(skew):
    assert skew.beyond == [
        "score of click (p): 10 % of 900 rows differ by more than 0.0001 from those of versions 7, "
        "12, the largest by 0.25; at most 1 % may",
        "price: jensen shannon 0.4, threshold 0.05",
        "price: 50 % of the rows with the same key differ, threshold 0.01",
    ]
    assert skew.line == f"Serving skew, what was served against its logs: {'; '.join(skew.beyond)}"


def test_the_report_has_a_section_of_it(skew):
    page = render(ReportData("t", None, "now", skew=skew))
    section = page[page.index('id="skew"') : page.index('id="data"')]
    words = " ".join(re.sub("<[^>]*>", " ", section).split())
    for said in (
        "Serving skew: version 3 is gone.",
        "✘ differs 3 of the measures lie beyond their thresholds. 1,000 rows that were served",
        "click p 900 ✘ 10.0 % 1.0 % 0.25 2 missing, 1 outside of [0, 1]",
        "7: 0.0 % of 400; 12: 18.0 % of 500",
        "price ✘ jensen shannon 0.4 0.01 0.05",
        "Of 1,000 drawn rows 950 stand in the logs with the same id.",
        "price ✘ 50.0 % 100.0 % 1.0 %",
    ):
        assert said in words, said
    assert "&lt;age&gt;" in section and "<age>" not in page
    assert section.count("<svg") == 3  # one of the scores, two of the price
    assert 'id="skew"' not in render(ReportData("t", None, "now"))
    page = render(ReportData("t", None, "now", skew=Skew(notes=("no serving logs",))))
    assert "<p>no serving logs.</p>" in page
