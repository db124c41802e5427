"""The page in a real browser: what is built from it, without errors and without the network."""

import html.parser
import re

import pytest

from mtlx.components.report.render import render


class _Page(html.parser.HTMLParser):
    """Collects a DOM's headings, table captions, cells by caption, links and drawings."""

    def __init__(self):
        super().__init__()
        self.headings, self.tables, self.references, self.labels = [], {}, [], []
        self._open, self._caption = [], None

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.references += [values[key] for key in ("src", "href") if values.get(key)]
        if tag == "svg" and "aria-label" in values:
            self.labels.append(values["aria-label"])
        if tag in ("h1", "h2", "h3", "caption", "td", "th"):
            self._open.append((tag, []))

    def handle_data(self, data):
        for _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag):
        if not self._open or self._open[-1][0] != tag:
            return
        text = " ".join("".join(self._open.pop()[1]).split())
        if tag == "caption":
            self._caption = text
            self.tables[text] = []
        elif tag in ("td", "th"):
            self.tables[self._caption].append(text)
        else:
            self.headings.append(text)


@pytest.fixture(scope="module")
def opened(open_page, report_data):
    """The report's page, its DOM and the browser's log."""
    dom, log = open_page(render(report_data))
    page = _Page()
    page.feed(dom)
    return page, dom, log


def test_verdict_and_sections_are_there(opened):
    page, _, _ = opened
    assert page.headings[:2] == ["default", "✘ Not blessed"]
    for heading in ("Relative improvement (RelaImp)", "AUC, calibration and log loss", "click",
                    "Distance to the best possible AUC", "Training", "Data"):  # fmt: skip
        assert heading in page.headings


def test_tables_hold_the_numbers_of_the_run(opened, report_data):
    page, _, _ = opened
    cells = page.tables["RelaImp over the baseline model in percent, by task and slice"]
    compared = report_data.results.comparison("baseline", "click")
    assert any(cell.startswith(f"{compared.relaimp:+.2f}") for cell in cells)
    cells = page.tables["purchase: metrics by slice and model"]
    metric = report_data.results.metric("reference", "purchase", (("domain", "search"),))
    assert any(cell.startswith(f"{metric.auc:.4f}") for cell in cells)
    cells = page.tables["Checks of the gate"]
    assert "✘ blocks" in cells and "clickdomain=product_page" in cells
    assert "age: not a number" in page.tables["Malformed rows by reason"]
    assert "Łódź (~2%)" in " ".join(page.tables["Where the data differs from its schema"])
    assert any("Saint-Rémy" in cell for cell in page.tables["Values and sequences in split train"])


def test_drawings_are_described(opened):
    page, _, _ = opened
    assert any(label.startswith("Validation AUC, click by epoch") for label in page.labels)
    assert "Distribution of age" in page.labels


def test_nothing_is_loaded_and_nothing_is_wrong(opened):
    page, dom, log = opened
    assert [link for link in page.references if not link.startswith(("#", "data:"))] == []
    assert not re.search(r"url\(|@import|<script|https?://", dom)
    assert "CONSOLE" not in log, log


def test_the_page_itself_forbids_the_network(open_page, report_data):
    for foreign in ('<img src="https://example.org/x.png">', "<script>let x</script>"):
        _, log = open_page(render(report_data).replace("</footer>", f"{foreign}</footer>"))
        assert "CONSOLE" in log and "Content Security Policy" in log
