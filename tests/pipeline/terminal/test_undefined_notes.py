"""The lines of the terminal that say why a number is missing."""

from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.pipeline.terminal.undefined_notes import undefined_notes
from tests.components.slice_names import named


def _metric(name, reason=None, auc=0.7):
    return SliceMetrics(
        "candidate", "click", named(name), auc, None, None, 0.5, 1.0, 9, 90, auc_reason=reason
    )


def _pair(name, relaimp=None, reason=None):
    return Comparison(
        "baseline",
        "click",
        named(name),
        relaimp,
        None,
        None,
        None,
        None,
        None,
        relaimp_reason=reason,
    )


def _notes(metrics, comparisons=()):
    models = ("candidate", "baseline")
    return undefined_notes(SliceResults(models, ("click",), 0.95, None, metrics, list(comparisons)))


def test_each_missing_number_is_explained_once():
    metrics = [
        _metric("overall"),
        _metric("domain=a", "0 positives of 90", auc=None),
        _metric("domain=b", "too few rows of one class (3, 6 are needed)"),
        _metric("domain=a,city=x", "0 positives of 1", auc=None),
        _metric((("city", "y, z"),), "0 positives of 2", auc=None),
    ]
    comparisons = [
        _pair("overall", reason="the AUC to improve on, 0.5012, is not clearly above 0.5"),
        _pair("domain=a", reason="the candidate has no AUC here: 0 positives of 90"),
        _pair("domain=b", 2.0, "too few rows of one class (3, 6 are needed)"),
    ]
    assert _notes(metrics, comparisons) == [
        "click, domain=a: AUC undefined (0 positives of 90)",
        "click, domain=b: no interval (too few rows of one class (3, 6 are needed))",
        'click, city="y, z": AUC undefined (0 positives of 2)',
        "click, overall: RelaImp over the baseline undefined (the AUC to improve on, 0.5012, is "
        "not clearly above 0.5)",
    ]


def test_many_are_cut_with_their_number():
    notes = _notes([_metric(f"domain={n}", "0 positives of 90", auc=None) for n in range(20)])
    assert len(notes) == 9 and notes[-1].startswith("12 more are undefined")
