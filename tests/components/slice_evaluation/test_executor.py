"""The component's numbers against stock TFMA and scikit-learn, and what it refuses."""

import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from mtlx.components.slice_evaluation.evaluation_config import build_eval_config
from mtlx.components.slice_evaluation.results import EvaluationResultError, load_results
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import resolve_crosses, slice_text
from mtlx.components.slice_evaluation.stored.reliability_curve import load_reliability_curves

SLICES = [["domain"], ["gender"], ["domain", "gender"]]
LABELS = {"ctr": "click", "ctcvr": "purchase", "cvr": "bought"}


@pytest.fixture(scope="module")
def helpers(request):
    """The helper functions of this folder's conftest."""
    return next(
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if hasattr(plugin, "make_rows") and hasattr(plugin, "LogisticModel")
    )


def rows_of(rows, key, task):
    columns = {"domain": "scenario"}
    wanted = {key: None if value == "(missing)" else value for key, value in key}
    chosen = [r for r in rows if all(r[columns.get(k, k)] == v for k, v in wanted.items())]
    return [row for row in chosen if row["click"]] if task == "cvr" else chosen


def test_equals_scikit_learn_on_every_task_and_slice(full_uri, log, helpers):
    results = load_results(full_uri)
    assert results.models == ("candidate", "baseline")
    assert tuple(map(slice_text, results.slices)) == (
        "overall", "domain=search", "domain=feed", "domain=page",
        "gender=f", "gender=m", "gender=(missing)",
        *(
            f"domain={d},gender={g}"
            for d in ("search", "feed", "page") for g in ("f", "m", "(missing)")
        ),
    )  # fmt: skip
    assert len(results.metrics) == 16 * 3 * 2
    few = []
    for found in results.metrics:
        rows = rows_of(log[0], found.key, found.task)
        weights = helpers.CANDIDATE if found.model == "candidate" else helpers.BASELINE
        scores = helpers.predict(weights, rows, found.task)
        labels = np.array([row[LABELS[found.task]] for row in rows])
        assert (found.examples, found.positives) == (len(labels), labels.sum())
        assert found.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-4)
        assert found.log_loss == pytest.approx(log_loss(labels, scores), abs=1e-4)
        assert found.calibration == pytest.approx(scores.mean() / labels.mean(), abs=1e-4)
        if min(found.positives, found.examples - found.positives) < 6:
            few.append(found)
            assert (found.auc_lower, found.auc_upper) == (None, None)
            assert "too few rows of one class" in found.auc_reason
        else:
            assert found.auc_lower < found.auc < found.auc_upper
            assert found.auc_reason is None
        assert found.undefined_predictions == 0
    assert 0 < len(few) < 10
    assert len(results.comparisons) == 16 * 3
    for compared in results.comparisons:
        pair = [
            results.metric(m, compared.task, compared.key).auc for m in ("candidate", "baseline")
        ]
        assert compared.auc_difference == pytest.approx(pair[0] - pair[1])
        if compared.auc_difference_lower is None:
            assert "too few rows of one class" in compared.auc_difference_reason
        else:
            assert compared.auc_difference_lower < compared.auc_difference_upper
        if compared.relaimp is None:
            assert "is not clearly above 0.5" in compared.relaimp_reason
        else:
            expected = ((pair[0] - 0.5) / (pair[1] - 0.5) - 1) * 100
            assert compared.relaimp == pytest.approx(expected)
    overall = results.comparison("baseline", "ctr")
    assert overall.relaimp_lower < overall.relaimp < overall.relaimp_upper
    assert overall.relaimp_lower > 0, "the candidate's click weights are the true ones"


def test_the_slices_of_a_cross_add_up_to_overall(full_uri):
    results = load_results(full_uri)
    for keys in (["domain"], ["gender"], ["domain", "gender"]):
        for task in LABELS:
            whole = results.metric("candidate", task)
            parts = [
                results.metric("candidate", task, key)
                for key in results.slices
                if [name for name, _ in key] == keys
            ]
            assert sum(part.examples for part in parts) == whole.examples
            assert sum(part.positives for part in parts) == whole.positives


def test_equals_stock_tfma(full_uri, log, models, contract, tmp_path):
    """TFMA's AUC interpolates between thresholds: good to 1e-4 only where a slice is large.

    With few rows of a class a pair of rows in the same bin shifts it by 2e-3 and more, so that
    the AUC of small slices is compared with scikit-learn alone (above), and so is the baseline.
    """
    crosses = resolve_crosses(EvaluationSettings(slices=SLICES), contract)
    config = build_eval_config(("candidate",), contract.task_specs, crosses)
    tfma.run_model_analysis(
        eval_shared_model=tfma.default_eval_shared_model(
            f"{models['candidate']}/Format-Serving", eval_config=config
        ),
        eval_config=config,
        data_location=f"{log[1]}/Split-test/*",
        output_path=str(tmp_path),
    )
    ours, compared, compared_aucs = load_results(full_uri), 0, 0
    for key, by_task in tfma.load_eval_result(str(tmp_path)).slicing_metrics:
        # TFMA sorts the features of a cross by name.
        shown = sorted(key, reverse=True)
        shown = tuple((k.replace("scenario", "domain"), v) for k, v in shown)
        for task in LABELS:
            values = by_task[task][""]
            mine = ours.metric("candidate", task, shown)
            number = lambda metric, values=values: values[metric]["doubleValue"]  # noqa: E731
            # With the population as weight TFMA's count is that of the clicked rows.
            assert mine.examples == number("example_count")
            assert mine.log_loss == pytest.approx(number("binary_crossentropy"), abs=1e-4)
            assert mine.calibration == pytest.approx(number("calibration"), abs=1e-4)
            if min(mine.positives, mine.examples - mine.positives) >= 200:
                assert mine.auc == pytest.approx(number("auc"), abs=1e-4)
                compared_aucs += 1
            compared += 1
    # Stock TFMA has no slices of missing values.
    expected = [
        metric for metric in ours.metrics
        if metric.model == "candidate" and "(missing)" not in metric.slice
    ]  # fmt: skip
    assert compared == len(expected) and compared_aucs >= 5


def test_tfma_reads_what_was_written(full_uri):
    for name in ("candidate", "baseline"):
        loaded = tfma.load_eval_result(full_uri, model_name=name)
        assert len(loaded.slicing_metrics) == 16
        auc = loaded.get_metrics_for_slice((("domain", "feed"),), output_name="ctr")["auc"]
        assert auc["boundedValue"]["lowerBound"] < auc["boundedValue"]["value"] < 1
        absent = loaded.get_metrics_for_slice((("gender", "(missing)"),), output_name="ctr")
        assert absent["example_count"]["doubleValue"] > 100
    compared = tfma.load_eval_result(full_uri, model_name="candidate vs baseline")
    found = set(compared.get_metrics_for_slice(output_name="ctr"))
    names = {"relaimp", "auc_difference", "ece_difference", "rmse_difference"}
    assert names | {f"{name}_confidence_curve" for name in names} <= found
    assert len(list(tfma.load_metrics(full_uri))) == 16
    assert [m.name for m in loaded.config.model_specs] == ["candidate", "baseline"]


def test_user_key_widens_no_value_only_intervals(evaluate, log, models, full_uri):
    settings = {"slices": [["domain"]], "user_key": "user_id", "batch_size": 300}
    results, rows = load_results(evaluate(log[1], settings, **models)), load_results(full_uri)
    assert results.user_key == "user_id"
    for found in results.metrics:
        other = rows.metric(found.model, found.task, found.key)
        assert found.auc == pytest.approx(other.auc, abs=1e-12)
        widths = found.auc_upper - found.auc_lower, other.auc_upper - other.auc_lower
        assert widths[0] != widths[1]
        # Rows of a user are independent in this log: about the same variance.
        assert 0.6 < widths[0] / widths[1] < 1.6


def test_metrics_of_users_and_requests_are_those_of_the_served_scores(
    evaluate, helpers, log, models
):
    metrics = ["gauc", "ndcg@3", "normalised_entropy", "ece", "rmse", "xauc"]
    settings = {
        "slices": [["domain"]],
        "user_key": "user_id",
        "request_key": "gender",
        "metrics": metrics,
        "batch_size": 300,
    }
    uri = evaluate(log[1], settings, **models)
    results, rows = load_results(uri), log[0]
    assert results.measured == (*metrics, "auc", "log_loss", "calibration")
    labels = np.array([row["click"] for row in rows])
    scores = helpers.predict(helpers.CANDIDATE, rows, "ctr")
    users, requests = {}, {}
    for number, row in enumerate(rows):
        # A request without a user is a user of its own, and so is a row without either.
        user = row["user_id"] or ("request", row["gender"] or number)
        users.setdefault(user, []).append(number)
        if row["gender"]:
            requests.setdefault((user, row["gender"]), []).append(number)
    both = [own for own in users.values() if 0 < labels[own].mean() < 1]
    aucs = [roc_auc_score(labels[own], scores[own]) for own in both]
    found = results.metric("candidate", "ctr")
    expected = np.average(aucs, weights=list(map(len, both)))
    assert found.estimate("gauc").value == pytest.approx(expected, abs=1e-6)
    assert found.left_out["gauc"] == len(users) - len(both)
    holding = [own for own in requests.values() if labels[own].any()]
    gains = [
        1.0 if len(own) == 1 else ndcg_score([labels[own]], [scores[own]], k=3) for own in holding
    ]
    assert found.estimate("ndcg@3").value == pytest.approx(np.mean(gains), abs=1e-6)
    assert found.left_out["ndcg@3"] == len(requests) - len(holding)
    assert found.estimate("xauc").value == found.auc
    assert found.estimate("rmse").value == pytest.approx(
        np.sqrt(np.mean((labels - scores) ** 2)), abs=1e-6
    )
    for metric in results.metrics:
        for name in metrics:
            estimate = metric.estimate(name)
            assert estimate.reason or estimate.lower <= estimate.value <= estimate.upper
    compared = results.comparison("baseline", "ctr")
    other = results.metric("baseline", "ctr")
    for name in metrics:
        gap = found.estimate(name).value - other.estimate(name).value
        assert compared.difference(name).value == pytest.approx(gap)
        assert compared.difference(name).lower < gap < compared.difference(name).upper
    curves = load_reliability_curves(uri)
    assert set(curves) == set(LABELS) and sum(curves["ctr"].weight) == len(rows)


def test_rows_of_users_that_nobody_named_are_noticed(
    evaluate, helpers, log, models, tmp_path, full_uri
):
    assert load_results(full_uri).notices == (), "rows of a user are independent in this log"
    rng = np.random.default_rng(2)
    taste = rng.normal(size=200)
    rows = helpers.make_rows(1600, seed=2)
    for row in rows:
        user = int(rng.integers(0, 200))
        row["user_id"] = f"u{user}"
        row["interest"] = float(np.float32(taste[user] + 0.3 * row["interest"]))
        # Some users click always, others never: their contributions to the AUC add up.
        row["click"] = user % 2
        row["bought"] = row["purchase"] = row["bought"] * row["click"]
    uri = helpers.write_examples(tmp_path / "examples", rows)
    settings = {"slices": [], "batch_size": 300}
    without = load_results(evaluate(uri, settings, candidate=models["candidate"]))
    (notice,) = without.notices
    assert notice.startswith("Rows share user_id, and those of one value are alike")
    named = load_results(
        evaluate(uri, {**settings, "user_key": "user_id"}, candidate=models["candidate"])
    )
    assert named.notices == ()
    widths = [
        (found.auc_upper - found.auc_lower)
        for found in (r.metric("candidate", "ctr") for r in (named, without))
    ]
    factor = float(re.search(r"about ([0-9.]+) times too narrow; name it", notice).group(1))
    assert widths[0] / widths[1] > 1.2 and abs(widths[0] / widths[1] - factor) < 0.6


def test_without_baseline_and_with_one_class_and_undefined_predictions(evaluate, helpers, tmp_path):
    rows = helpers.make_rows(300, seed=3)
    for row in rows:
        if row["scenario"] == "page":
            row["click"] = row["bought"] = row["purchase"] = 0
        if row["scenario"] != "search":
            row["interest"] = min(row["interest"], 1.0)
    uri = helpers.write_examples(tmp_path / "examples", rows, shards=1)
    model = helpers.save_model(tmp_path / "model", helpers.CANDIDATE, undefined_above=1.0)
    evaluation = evaluate(uri, {"slices": [["domain"]]}, candidate=model)
    results = load_results(evaluation)
    assert results.models == ("candidate",) and results.comparisons == []
    page = results.metric("candidate", "ctr", (("domain", "page"),))
    assert page.positives == 0 and page.examples > 0 and page.log_loss > 0
    assert (page.auc, page.auc_lower, page.calibration) == (None, None, None)
    assert page.auc_reason == f"0 positives of {page.examples}"
    assert results.metric("candidate", "cvr", (("domain", "page"),)) is None, "nobody clicked there"
    bad = sum(row["interest"] > 1 for row in rows)
    for key in ((), (("domain", "search"),)):
        broken = results.metric("candidate", "ctr", key)
        assert broken.undefined_predictions == bad > 0
        assert (broken.auc, broken.log_loss, broken.calibration) == (None, None, None)
        assert broken.auc_reason.startswith(f"{bad} of {broken.examples} predictions are no finite")
    assert results.metric("candidate", "ctr", (("domain", "feed"),)).auc > 0.5
    assert results.metric("candidate", "cvr").auc > 0.5
    records = list(tfma.load_metrics(evaluation))
    assert len(records) == 4 and not any("nan" in str(record) for record in records)


def test_refusals_name_the_cause(evaluate, helpers, log, models, tmp_path):
    fewer = {task: helpers.BASELINE[task] for task in ("ctr", "cvr")}
    old = helpers.save_model(tmp_path / "old", fewer)
    with pytest.raises(ValueError, match=r"'candidate'.*does not serve task\(s\) \['ctcvr'\]"):
        evaluate(log[1], {}, candidate=old)
    with pytest.raises(ValueError, match="no split 'holdout'"):
        evaluate(log[1], {"split": "holdout"}, **models)
    with pytest.raises(ValueError, match="more than 50 slices"):
        evaluate(log[1], {"slices": [["user_id"]], "maximum_slices": 50}, **models)
    with pytest.raises(ValueError, match="'genre' is no categorical feature, did you mean"):
        evaluate(log[1], {"slices": [["genre"]]}, **models)
    with pytest.raises(ValueError, match="no files"):
        evaluate(log[1], {"split": "train"}, **models)
    rows = helpers.make_rows(20)
    del rows[3]["click"]
    broken = helpers.write_examples(tmp_path / "label", rows)
    with pytest.raises(ValueError, match="label 'click' of task 'ctr': 1 of"):
        evaluate(broken, {}, **models)
    rows[3]["click"] = 7
    broken = helpers.write_examples(tmp_path / "value", rows)
    with pytest.raises(ValueError, match="has the value 7"):
        evaluate(broken, {}, **models)


def test_outputs_that_are_no_probability_are_refused(evaluate, log, models, helpers, tmp_path):
    class Logits(helpers.LogisticModel):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, examples):
            return {task: tf.fill(tf.shape(examples), 1.7) for task in self.weights}

    model = Logits(helpers.CANDIDATE)
    path = str(tmp_path / "logits" / "Format-Serving")
    tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
    with pytest.raises(ValueError, match=r"task 'ctr' served 1\.7"):
        evaluate(log[1], {}, candidate=str(tmp_path / "logits"))


def test_an_unfinished_evaluation_is_no_result(full_uri, tmp_path):
    copy = shutil.copytree(full_uri, tmp_path / "copy")
    (copy / "slice_evaluation.json").unlink()
    with pytest.raises(EvaluationResultError, match="no finished evaluation"):
        load_results(str(copy))
    copy = shutil.copytree(full_uri, tmp_path / "empty")
    for file in copy.glob("metrics*"):
        file.unlink()
    with pytest.raises(EvaluationResultError, match="no metrics"):
        load_results(str(copy))


def test_files_without_examples_are_refused(evaluate, helpers, models, tmp_path):
    uri = helpers.write_examples(tmp_path / "examples", [])
    with pytest.raises(ValueError, match="holds no examples"):
        evaluate(uri, {}, **models)
