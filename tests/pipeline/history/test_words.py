import pytest

from mtlx.pipeline.history import words
from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary


def _run(train, test, days=False):
    spans = {"train": train, "test": test, "days": days}
    return RunSummary("run", Outcome.BLESSED, spans=spans)


@pytest.mark.parametrize(
    ("run", "long", "short"),
    [
        (_run([1, 2, 3, 5], [6]), "1 to 3 and 5, tested on 6", "6, trained on 4 spans"),
        (_run([20_780, 20_781], [20_782], True),
         "2026-11-23 to 2026-11-24, tested on 2026-11-25", "2026-11-25, trained on 2 spans"),
        (_run([4], [4]), "4", "4"),
        (_run([1, 3, 5], [6, 7]), "1, 3 and 5, tested on 6 to 7", "6 to 7, trained on 3 spans"),
        (RunSummary("run", Outcome.KILLED), "–", "–"),
    ],
)  # fmt: skip
def test_spans(run, long, short):
    assert (words.spans(run), words.spans_in_short(run)) == (long, short)


def test_sizes():
    sizes = [None, 0, 999, 1000, 1_234_567, 5e12]
    assert [words.size(size) for size in sizes] == [
        "–",
        "0 B",
        "999 B",
        "1.0 kB",
        "1.2 MB",
        "5.0 TB",
    ]
