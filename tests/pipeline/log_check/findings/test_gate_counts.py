"""What the gate will not decide, by counts that are made with plain loops."""

import types
from collections import defaultdict

import numpy as np
import pytest

from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.pipeline.log_check.findings.gate_counts import too_few

CATEGORY = {"kind": "categorical"}
DOMAIN = {"feature": "scenario", "values": ["feed", "search", "void"]}
TASKS = {
    "click": {"label": "click"},
    "buy": {"label": "buy", "after": "click", "population": "click"},
}


def _asked(least, slices=(("domain",),), **threshold):
    thresholds = [{"rule": "auc", "minimum": 0.5, **threshold}]
    return types.SimpleNamespace(
        evaluation=EvaluationSettings(slices=[list(cross) for cross in slices]),
        gate=GateSettings.read({"minimum_positives": least, "thresholds": thresholds}),
    )


@pytest.fixture
def drawn():
    """Columns of 3,000 rows: domain, city with gaps, labels, splits."""
    rng = np.random.default_rng(3)
    click = rng.random(3000) < 0.2
    return types.SimpleNamespace(
        domain=rng.choice(["feed", "search"], 3000, p=[0.8, 0.2]),
        city=[None if n == 3 else "abc"[n] for n in rng.integers(0, 4, 3000)],
        click=click,
        buy=click & (rng.random(3000) < 0.3),
        split=rng.choice(["train", "test"], 3000),
    )


@pytest.fixture
def rows(collected, drawn):
    return collected(
        {"scenario": (CATEGORY, drawn.domain), "city": (CATEGORY, drawn.city)},
        {"click": drawn.click, "buy": drawn.buy},
        drawn.split,
        TASKS,
        DOMAIN,
    )


def _counted(drawn, key):
    """Positives and negatives of each task by the slice of the test rows, row by row."""
    counts = defaultdict(lambda: [0, 0])
    for place in range(3000):
        if drawn.split[place] != "test":
            continue
        name = key(drawn.domain[place], drawn.city[place] or "(missing)")
        counts["click", name][not drawn.click[place]] += 1
        if drawn.click[place]:
            counts["buy", name][not drawn.buy[place]] += 1
    return {place: tuple(found) for place, found in counts.items()}


@pytest.mark.parametrize(
    ("slices", "pattern", "key"),
    [
        ([["domain"]], "overall", lambda domain, city: "overall"),
        ([["domain"]], "domain=*", lambda domain, city: f"domain={domain}"),
        ([["city"]], "city=*", lambda domain, city: f"city={city}"),
        ([["domain", "city"]], "domain=*,city=*", lambda domain, city: f"domain={domain},city={city}"),
        ([["city", "domain"]], "city=*,domain=*", lambda domain, city: f"city={city},domain={domain}"),
    ],
)  # fmt: skip
def test_counts_are_those_of_a_loop_over_the_test_rows(rows, drawn, slices, pattern, key):
    found = too_few(rows, _asked(10**6, slices, slice=pattern), 1.0)
    counts = _counted(drawn, key)
    if pattern == "domain=*":  # A domain of the contract is expected, though it has no row.
        counts |= {(task, "domain=void"): (0, 0) for task in TASKS}
    assert {(few.task, few.slice): (few.positives, few.negatives) for few in found} == counts


def test_only_what_lacks_rows_of_a_class_is_named(rows, drawn):
    counts = _counted(drawn, lambda domain, city: f"domain={domain}")
    least = min(counts["buy", "domain=feed"])
    wanted = {place for place, found in counts.items() if min(found) < least}
    wanted |= {(task, "domain=void") for task in TASKS}
    found = too_few(rows, _asked(least, slice="domain=*"), 1.0)
    assert {(few.task, few.slice) for few in found} == wanted
    assert ("buy", "domain=feed") not in wanted and ("buy", "domain=search") in wanted


def test_a_threshold_speaks_of_its_own_task_and_slice(rows):
    found = too_few(rows, _asked(10**6, task="buy", slice="domain=s*"), 1.0)
    assert [(few.task, few.slice) for few in found] == [("buy", "domain=search")]
    found = too_few(rows, _asked(10**6, [["city"]], task="click", slice={"city": "b"}), 1.0)
    assert [(few.task, few.slice) for few in found] == [("click", "city=b")]


def test_counts_of_a_sample_stand_for_the_whole(rows):
    whole, sampled = (
        too_few(rows, _asked(10**9, slice="overall"), share)[0] for share in (1.0, 0.25)
    )
    assert (sampled.positives, sampled.negatives) == (4 * whole.positives, 4 * whole.negatives)
    # What is enough by the whole's estimate is not called too few.
    enough = _asked(int(whole.positives) + 1, slice="overall", task="click")
    assert too_few(rows, enough, 1.0) and not too_few(rows, enough, 0.25)


def test_the_split_that_is_evaluated_counts(rows, drawn):
    asked = _asked(10**6, slice="overall", task="click")
    asked.evaluation = asked.evaluation.model_copy(update={"split": "train"})
    (few,) = too_few(rows, asked, 1.0)
    assert few.positives == sum(drawn.click[drawn.split == "train"])


def test_a_slice_of_two_thresholds_is_named_once(rows):
    asked = _asked(10**6, slice="overall")
    asked.gate = asked.gate.model_copy(update={"thresholds": asked.gate.thresholds * 2})
    assert len(too_few(rows, asked, 1.0)) == len(TASKS)


def test_values_of_any_characters_have_names_of_their_own(collected):
    values = ["a,b", "a=b", "a\nb", "(missing)", None, "Ä", "ä", "1" * 300]
    rows = collected(
        {"city": (CATEGORY, values), "item": (CATEGORY, values)}, {"click": [1] * len(values)}
    )
    found = too_few(rows, _asked(1, [["city"]], slice="city=*"), 1.0)
    names = [few.slice for few in found]
    assert len(names) == len(set(names)) == len(values)
    assert all("\n" not in name for name in names)
    assert {'city="a,b"', "city=Ä", "city=ä"} <= set(names)


def test_a_value_that_reads_like_a_missing_one_has_a_slice_of_its_own(collected):
    """As in the evaluation, whose thresholds are meant."""
    values = ["(missing)"] * 3 + [None] * 5
    rows = collected({"city": (CATEGORY, values)}, {"click": [1] * len(values)})
    found = too_few(rows, _asked(50, [["city"]], slice="city=*"), 1.0)
    assert {few.slice: few.positives for few in found} == {
        "city=((missing))": 3,
        "city=(missing)": 5,
    }
