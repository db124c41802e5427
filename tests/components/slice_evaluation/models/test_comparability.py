"""A model that reads other things than the examples hold is not scored, and is named."""

import itertools

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from mtlx.components.example_batches import split_files
from mtlx.components.slice_evaluation.models.comparability import Incomparable, find_differences
from mtlx.components.slice_evaluation.models.compared_models import ComparedModels
from mtlx.components.slice_evaluation.models.held_features import held_features
from mtlx.components.slice_evaluation.models.model_reads import FeatureForm, ModelReads
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.components.slice_evaluation.results import load_results
from mtlx.trainer.serving.serving_contract import write_serving_contract
from mtlx.trainer.serving.signatures import COLUMNS_SIGNATURE
from mtlx.transform.contract.data_contract import DataContract


class Parsing(tf.Module):
    """Serves the tasks of a specification, whatever it parses; no weight matters here."""

    def __init__(self, spec, tasks):
        super().__init__()
        self.spec, self.tasks = spec, tasks

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.io.parse_example(examples, self.spec)
        score = tf.zeros(tf.shape(examples))
        for value in parsed.values():
            dense = tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else value
            if dense.dtype == tf.float32:
                score += tf.reshape(dense, [tf.shape(examples)[0], -1])[:, 0]
        return {task: tf.sigmoid(score) for task in self.tasks}


class OldParsing(Parsing):
    """Parses with the operation of TensorFlow 1, by which nobody can say here what it reads."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.raw_ops.ParseExample(
            serialized=examples, names=[], sparse_keys=[], sparse_types=[],
            dense_keys=["interest"], dense_defaults=[tf.constant([], tf.float32)],
            dense_shapes=[[]],
        )  # fmt: skip
        return dict.fromkeys(self.tasks, tf.sigmoid(parsed.dense_values[0]))


FLOAT = tf.io.FixedLenFeature([], tf.float32)
TEXT = tf.io.VarLenFeature(tf.string)
TASKS = ("ctr", "ctcvr", "cvr")


def _columns_signature(columns):
    """A signature that takes columns of these specifications, by name."""

    def serve(**values):
        rows = tf.shape(next(iter(values.values())))[0]
        return dict.fromkeys(TASKS, tf.fill([rows], 0.5))

    specs = {name: tf.TensorSpec(*spec, name=name) for name, spec in columns.items()}
    return tf.function(serve).get_concrete_function(**specs)


@pytest.fixture
def save(tmp_path):
    """Exports a model that parses a specification, with the contract that it is said to have."""

    numbers = itertools.count()

    def function(spec, tasks=TASKS, contract=None, kind=Parsing, columns=None):
        model = kind(spec, tasks)
        signatures = {"serving_default": model.serve}
        if columns is not None:
            signatures[COLUMNS_SIGNATURE] = _columns_signature(columns)
        folder = tmp_path / f"old-{next(numbers)}"
        path = folder / "Format-Serving"
        tf.saved_model.save(model, str(path), signatures=signatures)
        if contract is not None:
            write_serving_contract(str(path), contract)
        return str(folder)

    return function


@pytest.fixture
def compare(contract, log, models):
    """What is found of a candidate and a baseline before anything is evaluated."""
    files = split_files([f"{log[1]}/Split-test"], "test")

    def artifact(uri):
        made = standard_artifacts.Model()
        made.uri = uri
        return [made]

    def function(baseline):
        inputs = {"candidate": artifact(models["candidate"]), "baseline": artifact(baseline)}
        return ComparedModels.find(inputs, contract, files)

    return function


def _only_reason(compared):
    """The one that holds for all tasks of a baseline that is not scored."""
    assert list(compared.scored) == ["candidate"]
    assert set(compared.incomparable["baseline"]) == set(TASKS)
    (reason,) = set(compared.incomparable["baseline"].values())
    return reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"cost": tf.io.FixedLenFeature([], tf.float32, 0.0)},
         "reads cost, which the examples do not hold"),
        ({"interest": FLOAT, "scenario": FLOAT},
         "reads scenario as a number, which the examples hold as text (categorical)"),
        ({"interest": FLOAT, "price": TEXT},
         "reads price as text, which the examples hold as a number (numeric)"),
        ({"click": FLOAT}, "reads click as a number, which the examples hold as a whole number "
         "(a label)"),
    ],
)  # fmt: skip
def test_a_model_of_other_features_is_not_scored(compare, save, spec, reason):
    assert _only_reason(compare(save(spec))) == reason


def test_a_model_that_is_not_compared_takes_no_part_in_the_evaluation(evaluate, log, models, save):
    old = save({"cost": tf.io.FixedLenFeature([], tf.float32, 0.0)})
    results = load_results(
        evaluate(log[1], {"slices": []}, candidate=models["candidate"], baseline=old)
    )
    assert results.models == ("candidate",) and results.comparisons == []
    assert results.metric("candidate", "ctr").auc > 0.5
    reason = "reads cost, which the examples do not hold"
    assert results.incomparable == {"baseline": dict.fromkeys(TASKS, reason)}


def _contract(contract, **changes):
    values = contract.model_dump(mode="json", exclude_unset=True)
    return DataContract.read({**values, **changes})


def test_a_renamed_column_is_recognised(compare, save, contract):
    features = contract.model_dump(mode="json", exclude_unset=True)["features"]
    features["cost"] = {**features.pop("price"), "column": "price"}
    own = _contract(contract, features=features)
    assert _only_reason(compare(save({"interest": FLOAT, "cost": TEXT}, contract=own))) == (
        "reads cost (column price, which the experiment calls price), which the examples do not "
        "hold"
    )


def test_text_of_one_value_is_no_sequence(compare, save, contract):
    features = contract.model_dump(mode="json", exclude_unset=True)["features"]
    features["gender"] = {"kind": "sequence", "of": "scenario"}
    own = _contract(contract, features=features)
    reason = _only_reason(compare(save({"interest": FLOAT, "gender": TEXT}, contract=own)))
    assert reason == (
        "reads gender as text (sequence), which the examples hold as text (categorical)"
    )


def test_a_column_that_is_not_embedded_has_no_part_in_it(compare, save, contract):
    features = contract.model_dump(mode="json", exclude_unset=True)["features"]
    features["visitor"] = {"kind": "categorical", "embed": False}
    own = _contract(contract, features=features)
    compared = compare(save({"interest": FLOAT, "visitor": TEXT}, contract=own))
    assert compared.incomparable == {} and list(compared.scored) == ["candidate", "baseline"]
    # Without its contract nothing but the columns that it parses can be known.
    assert "reads visitor" in _only_reason(compare(save({"interest": FLOAT, "visitor": TEXT})))


def test_a_column_that_tells_domains_has_a_part_without_an_embedding(compare, save, contract):
    features = contract.model_dump(mode="json", exclude_unset=True)["features"]
    features["scenario"] = {"kind": "categorical", "embed": False}
    own = _contract(contract, features=features)
    assert _only_reason(compare(save({"interest": FLOAT, "scenario": FLOAT}, contract=own))) == (
        "reads scenario as a number (categorical), which the examples hold as text (categorical)"
    )


def test_what_stands_in_the_contract_of_a_model_counts_as_far_as_it_is_parsed(
    compare, save, contract
):
    """A network may leave features out, which then may be gone."""
    features = contract.model_dump(mode="json", exclude_unset=True)["features"]
    features["cost"] = {"kind": "numeric"}
    own = _contract(contract, features=features)
    compared = compare(save({"interest": FLOAT}, contract=own))
    assert compared.incomparable == {} and list(compared.scored) == ["candidate", "baseline"]
    # Where the graph does not tell, all of them are read as far as is known.
    reason = _only_reason(compare(save({"interest": FLOAT}, contract=own, kind=OldParsing)))
    assert reason == "reads cost, which the examples do not hold"


def test_what_the_examples_hold_counts_and_not_what_the_contract_says_of_them(example_of, contract):
    """Another example generator may write numbers whole, and columns of its own."""
    rows = [{"gender": None, "price": 3, "seen": "x", "click": 1}]
    rows += [{"gender": "f", "price": 4, "seen": "y", "click": 0}]
    held = held_features(contract, [example_of(row) for row in rows])
    assert held["price"] == FeatureForm("a whole number", "numeric")
    assert held["seen"] == FeatureForm("text", None)
    assert held["gender"] == FeatureForm("text", "categorical")
    assert held["click"] == FeatureForm("a whole number", "label")
    # No example has a value, which is no difference.
    assert held["interest"] == FeatureForm("a number", "numeric")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"interest": ([None], tf.float32), "gender": ([None], tf.string)}, None),
        ({"interest": ([None], tf.float32), "gender": ([None, None], tf.string)},
         "reads gender as text (sequence), which the examples hold as text (categorical)"),
        (None, None),
    ],
)  # fmt: skip
def test_the_kinds_of_a_model_without_a_contract_are_those_of_its_columns(
    compare, save, columns, reason
):
    compared = compare(save({"interest": FLOAT, "gender": TEXT}, columns=columns))
    found = set(compared.incomparable.get("baseline", {}).values())
    assert found == ({reason} if reason else set())


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ({"feature": "scenario", "values": ["search", "feed"]},
         "does not know the domain page (it knows search, feed)"),
        ({"feature": "gender", "values": ["f", "m"]},
         "tells domains by gender, but the experiment tells domains by scenario"),
        ({"feature": "scenario", "values": ["page", "feed", "search", "gone"]}, None),
        (None, None),
    ],
)  # fmt: skip
def test_domains_that_the_model_does_not_know(compare, save, contract, domain, reason):
    compared = compare(save({"interest": FLOAT}, contract=_contract(contract, domain=domain)))
    found = set(compared.incomparable.get("baseline", {}).values())
    assert found == ({reason} if reason else set())


def test_a_task_that_is_missing_or_means_other_rows_is_left_out_alone(
    evaluate, log, models, save, contract
):
    tasks = contract.model_dump(mode="json", exclude_unset=True)["tasks"]
    del tasks["ctcvr"], tasks["cvr"]["population"]
    own = _contract(contract, tasks=tasks)
    # What the candidate does not have is no matter.
    old = save({"interest": FLOAT}, ("ctr", "cvr", "share"), own)
    results = load_results(
        evaluate(log[1], {"slices": []}, candidate=models["candidate"], baseline=old)
    )
    assert results.incomparable == {
        "baseline": {
            "ctcvr": "does not serve the task ctcvr (it serves ctr, cvr, share)",
            "cvr": "was trained for cvr on all rows, the experiment defines it on the rows of ctr",
        }
    }
    assert results.models == ("candidate", "baseline")
    assert results.metric("baseline", "ctr").auc > 0.5
    assert {c.task for c in results.comparisons} == {"ctr"}
    assert {m.task for m in results.metrics if m.model == "baseline"} == {"ctr"}


@pytest.mark.parametrize("task", ["other", None])
def test_models_from_elsewhere_are_named_with_what_is_wrong(compare, save, tmp_path, task):
    if task is not None:
        uri, words = save({"interest": FLOAT}, (task,)), "does not serve the task ctr (it serves"
    else:
        (tmp_path / "gone").mkdir()
        uri, words = str(tmp_path / "gone"), "no SavedModel in"
    assert words in _only_reason(compare(uri))


def test_a_model_that_takes_no_examples_is_named(compare, tmp_path):
    class Columns(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="interest")])
        def serve(self, interest):
            return dict.fromkeys(TASKS, tf.sigmoid(interest))

    model = Columns()
    path = str(tmp_path / "columns" / "Format-Serving")
    tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
    reason = _only_reason(compare(str(tmp_path / "columns")))
    assert "takes interest; one tensor of serialised tf.Examples is expected" in reason


def test_a_model_that_fails_on_these_examples_is_named(compare, save):
    # Some rows have no gender, which is seen only when it is asked for.
    gender = tf.io.FixedLenFeature([], tf.string)
    reason = _only_reason(compare(save({"interest": FLOAT, "gender": gender})))
    assert reason.startswith("cannot be asked: model 'baseline'")
    assert "fails on these examples" in reason and "gender" in reason


def test_the_anchor_is_scored_once_where_it_is_the_baseline(evaluate, log, models, monkeypatch):
    asked = []
    predict = ServedModel.predict
    monkeypatch.setattr(
        ServedModel, "predict", lambda self, rows: asked.append(self.path) or predict(self, rows)
    )
    uri = evaluate(log[1], {}, **models, anchor=models["baseline"])
    results = load_results(uri)
    assert results.models == ("candidate", "baseline", "anchor")
    pair = [results.comparison(name, "ctr") for name in ("baseline", "anchor")]
    assert pair[0].relaimp == pair[1].relaimp and pair[0].relaimp_lower == pair[1].relaimp_lower
    # Two files, a batch each, by two models and not three. Before that the candidate prepares its
    # first call, and baseline and anchor are tried.
    assert len(asked) == 2 * 2 + 3


def _differences(reads=(), outputs=TASKS, held=("interest", "price"), own=None, contract=None):
    """What is found of names, without a model: numbers all."""
    number = FeatureForm("a number", "numeric")
    return find_differences(
        ModelReads(dict.fromkeys(reads, number), outputs, own),
        dict.fromkeys(held, number),
        contract,
    )


def test_a_model_that_reads_what_is_held_is_comparable_in_all_tasks(contract):
    found = _differences(["price"], (*TASKS, "more"), contract=contract)
    assert found == Incomparable([], {}) and found.reasons(TASKS) == {}


def test_many_absent_features_are_counted_and_the_first_ones_named(contract):
    names = [f"f{number}" for number in range(8)]
    (reason,) = _differences(names, contract=contract).everywhere
    assert reason == "reads f0, f1, f2, f3, f4 and 3 more, which the examples do not hold"
    (reason,) = _differences(names[:5], contract=contract).everywhere
    assert reason == "reads f0, f1, f2, f3, f4, which the examples do not hold"


def test_all_reasons_are_one_sentence_for_every_task(contract):
    found = _differences(["cost"], ("ctr",), contract=contract)
    found.everywhere.append("reads nothing else")
    words = "reads cost, which the examples do not hold; it reads nothing else"
    assert found.reasons(("ctr", "cvr")) == {"ctr": words, "cvr": words}


def test_a_task_that_is_not_served_leaves_the_others_comparable(contract):
    reasons = _differences(["price"], ("cvr", "ctr"), contract=contract).reasons(TASKS)
    assert reasons == {"ctcvr": "does not serve the task ctcvr (it serves cvr, ctr)"}


def test_a_model_that_serves_no_task_is_not_comparable_anywhere_each_reason_once(contract):
    found = _differences(["price"], ("other",), contract=contract)
    assert len(found.everywhere) == len(set(found.everywhere)) == len(TASKS)
    assert set(found.reasons(TASKS)) == set(TASKS)


def test_a_kind_that_is_not_known_is_no_difference_and_a_form_always_is(contract):
    text, number = FeatureForm("text", None), FeatureForm("a number", "numeric")
    reads = ModelReads({"price": FeatureForm("a number", None)}, TASKS, None)
    assert find_differences(reads, {"price": number}, contract) == Incomparable([], {})
    (reason,) = find_differences(reads, {"price": text}, contract).everywhere
    assert reason == "reads price as a number, which the examples hold as text"
    label = FeatureForm("a whole number", "label")
    (reason,) = find_differences(reads, {"price": label}, contract).everywhere
    assert reason == "reads price as a number, which the examples hold as a whole number (a label)"
