"""A model whose features today's examples lack is not scored, whichever it is, and blocks."""

import pytest
from sklearn.metrics import roc_auc_score

from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.slice_evaluation.models.comparability import find_differences
from mtlx.components.slice_evaluation.models.held_features import first_examples, without_values
from mtlx.components.slice_evaluation.models.model_reads import FeatureForm, ModelReads
from mtlx.components.slice_evaluation.results import load_results
from mtlx.transform.contract.data_contract import DataContract
from tests.components.slice_evaluation.conftest import (
    CANDIDATE,
    make_rows,
    predict,
    save_model,
    write_examples,
)

#: The candidate knows the interest alone; the others know the price, too, and are better.
WITHOUT_PRICE = {task: (interest, 0.0, bias) for task, (interest, _, bias) in CANDIDATE.items()}


def _without_price(row):
    return {name: value for name, value in row.items() if name != "price"}


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """Rows of which none has a price, though the contract has it, and models of before."""
    folder = tmp_path_factory.mktemp("today")
    rows = make_rows(1200, seed=3)
    write_examples(folder / "examples", list(map(_without_price, rows)))
    models = {
        "candidate": save_model(folder / "candidate", WITHOUT_PRICE),
        "old": save_model(folder / "old", CANDIDATE),
    }
    return rows, str(folder / "examples"), models


@pytest.mark.parametrize("role", ["baseline", "reference", "anchor"])
def test_a_model_of_an_empty_feature_is_named_and_blocks(today, contract, evaluate, role):
    rows, uri, models = today
    labels = [row["click"] for row in rows]
    auc = [
        roc_auc_score(labels, predict(CANDIDATE, seen, "ctr"))
        for seen in (rows, [row | {"price": 0.0} for row in rows])
    ]
    # Scored with the price missing, it is not the model that it is.
    assert auc[0] - auc[1] > 0.02
    others = {role: models["old"]}
    results = load_results(evaluate(uri, {"slices": []}, candidate=models["candidate"], **others))
    reason = "reads price, of which no example has a value"
    assert results.models == ("candidate",)
    assert results.incomparable == {role: dict.fromkeys(contract.tasks, reason)}
    settings = {"anchor": {"last": 5}} if role == "anchor" else {}
    threshold = {"rule": "relaimp", "task": "ctr", "minimum": -100.0, "bound": "point"}
    if role == "anchor":
        threshold["against"] = "anchor"
    gate = GateSettings.read({"thresholds": [threshold], **settings})
    verdict = judge(results, gate, contract)
    assert not verdict.blessed
    words = [check.message for check in verdict.checks if not check.passed]
    assert words[0] == f"ctr, overall: not decidable: the {role} model {reason}"
    assert "gate.baseline=none" in words[1]


def test_a_value_far_into_the_split_is_one(contract, tmp_path):
    rows = make_rows(900, seed=3)
    late = [row if place > 800 else _without_price(row) for place, row in enumerate(rows)]
    write_examples(tmp_path / "late", late, shards=1)
    write_examples(tmp_path / "none", list(map(_without_price, rows)), shards=1)
    found = {}
    for name in ("late", "none"):
        files = sorted(map(str, (tmp_path / name / "Split-test").iterdir()))
        arguments = contract, ("price", "interest", "elsewhere"), first_examples(files), files
        found[name] = without_values(*arguments)
    assert found == {"late": set(), "none": {"price"}}


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"of": "category", "column": "clicked_categories"},
         "reads clicks as values of item, which the experiment says are of category"),
        ({"of": "item"}, None),
        ({"of": "product"}, None),
    ],
)  # fmt: skip
def test_behaviours_of_something_else_are_not_those_that_the_model_learnt(now, reason):
    features = {
        "item": {"kind": "categorical"},
        "category": {"kind": "categorical"},
        "clicks": {"kind": "sequence", "of": "item"},
    }
    tasks = {"click": {"label": "clicked"}}
    own = DataContract.read({"features": features, "tasks": tasks})
    if now["of"] == "product":
        # The same column under another name.
        features["product"] = {**features.pop("item"), "column": "item"}
    features["clicks"] = {"kind": "sequence", **now}
    contract = DataContract.read({"features": features, "tasks": tasks})
    form = FeatureForm("text", "sequence")
    reads = ModelReads({"clicks": form}, ("click",), own)
    found = find_differences(reads, {"clicks": form}, contract)
    assert found.everywhere == ([reason] if reason else [])
