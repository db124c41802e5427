"""What the executor finds in a model and a log of which all is known."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from mtlx.components.model_insight.insights.insight import SEED
from tests.components.model_insight.made_model import CONTRACT, encode

TASKS = ("click", "buy")


def _labels(rows, task):
    return np.array([row[task] for row in rows])


def _population(rows, task):
    return np.ones(len(rows), bool) if task == "click" else _labels(rows, "click") == 1


def test_importance_finds_what_each_task_goes_by(found):
    tasks = found["importance"].values["tasks"]
    assert set(tasks) == set(TASKS)
    for task, own in (("click", "a"), ("buy", "b")):
        for part in ("overall", "feed", "search"):
            measured = tasks[task][part]
            # A shuffled column says nothing: what is left is chance, and what leaks.
            assert measured["importance"][own] == pytest.approx(measured["auc"] - 0.5, abs=0.03)
            assert measured["importance"][own] > 0.25
            others = set(measured["importance"]) - {own}
            assert all(abs(measured["importance"][name]) < 0.02 for name in others)
            assert 0 < measured["error"][own] < 0.03
    assert "unread" not in tasks["click"]["overall"]["importance"]
    headline = found["importance"].headline
    assert headline.startswith("Most important: a for click (0.3") and "b for buy (0.3" in headline


def test_importance_is_that_of_shuffled_raw_rows_served(planted, found):
    """The same shuffling of the log's own columns, through the exported model, by scikit-learn."""
    served = tf.saved_model.load(planted.served).signatures["serving_default"]

    def aucs(rows):
        scores = served(tf.constant([encode(row) for row in rows]))
        return [
            roc_auc_score(_labels(rows, task)[inside], scores[task].numpy()[inside])
            for task in TASKS
            for inside in [_population(rows, task)]
        ]

    # The rows in the order in which they are drawn: by the least random numbers.
    read = planted.rows[0::2] + planted.rows[1::2]
    keys = np.random.default_rng(SEED).random(len(read))
    rows = [read[place] for place in np.argsort(keys)]
    base = aucs(rows)
    columns = {"other": ["other"], "viewed": ["viewed", "viewed.category"]}
    features = [name for name in CONTRACT.features if name not in ("unread", "viewed.category")]
    random = np.random.default_rng(SEED)
    for feature in features:
        drops = []
        for _ in range(3):
            order = random.permutation(len(rows))
            own = columns.get(feature, [feature])
            if feature not in ("a", "viewed", "other"):
                continue
            shuffled = [
                {**row, **{name: rows[place][name] for name in own}}
                for row, place in zip(rows, order, strict=True)
            ]
            drops.append(np.subtract(base, aucs(shuffled)))
        for place, task in enumerate(TASKS) if drops else ():
            measured = found["importance"].values["tasks"][task]["overall"]
            mean = np.mean(drops, axis=0)[place]
            error = np.std(drops, axis=0, ddof=1)[place] / np.sqrt(3)
            assert measured["importance"][feature] == pytest.approx(mean, abs=1e-6)
            assert measured["error"][feature] == pytest.approx(error, abs=1e-6)
            assert measured["auc"] == pytest.approx(base[place], abs=1e-6)


def test_a_gate_that_is_held_open_is_seen(found):
    tasks = found["gates"].values["tasks"]
    for task, own, other in (("click", "expert_0", "expert_1"), ("buy", "expert_1", "expert_0")):
        for part in ("overall", "feed", "search"):
            gate = tasks[task][part]
            assert gate["weight"][own] == pytest.approx(1, abs=1e-6)
            assert gate["weight"][other] == pytest.approx(0, abs=1e-6)
            assert gate["spread"][own] == pytest.approx(0, abs=1e-6)
            # But for rows of which neither unit of the expert gives anything.
            assert gate["share"][own] > 0.9
        parts = [tasks[task][part]["rows"] for part in ("feed", "search")]
        assert sum(parts) == tasks[task]["overall"]["rows"]
    assert found["gates"].values["trimmed"] is None and not found["gates"].values["fusion"]
    assert "expert_1 for buy (1.00)" in found["gates"].headline


def test_targets_among_behaviours_are_counted(planted, found):
    occurrences = found["sequences"].values["occurrences"]
    assert set(occurrences) == {"item in viewed", "category in viewed"}
    for own, key in (("item", "viewed"), ("category", "viewed.category")):
        times = np.array([row[key][-3:].count(row[own][0]) for row in planted.rows])
        counted = occurrences[f"{own} in viewed"]
        assert counted["share"] == pytest.approx(np.mean(times > 0), abs=1e-12)
        assert counted["times"] == pytest.approx(times.mean(), abs=1e-12)
        for task in TASKS:
            label, inside = _labels(planted.rows, task), _population(planted.rows, task)
            of_task = counted["tasks"][task]
            assert of_task["times_with_action"] == pytest.approx(
                times[inside & (label == 1)].mean()
            )
            for case, chosen in (("then", times > 0), ("otherwise", times == 0)):
                rows = inside & chosen
                assert of_task[case]["rows"] == rows.sum()
                assert of_task[case]["rate"] == pytest.approx(label[rows].mean(), abs=1e-12)
    item = occurrences["item in viewed"]
    # A third of the rows, but for those whose item lies too far back.
    assert 0.2 < item["share"] < 1 / 3
    click = item["tasks"]["click"]
    assert click["then"]["rate"] - click["otherwise"]["rate"] > 5 * click["then"]["error"]


def test_attention_has_a_mean_for_every_position(found):
    (of_task,) = found["sequences"].values["attention"].values()
    assert list(of_task) == ["viewed"] and len(of_task["viewed"]) == 3
    assert np.isfinite(of_task["viewed"]).all()


def test_representations_carry_their_own_task_and_label(planted, found, model, rows):
    values = found["representations"].values
    assert values["rows"] == 200 and values["width"] == 2
    vectors = model.told(rows.features, ("representation",))["representation"]
    for place, own in enumerate(("a", "b")):
        counts = rows.counts[:, place]
        labels, x = rows.labels[counts, place], vectors[counts, place]
        guessed = cross_val_predict(LogisticRegression(), x, labels, method="decision_function")
        assert roc_auc_score(labels, guessed) > 0.75, own
    plots = [figure for figure in found["representations"].figures if figure.kind == "plot"]
    titles = [plot.title.split(",")[0] for plot in plots]
    assert titles == ["By task", "click", "buy", "click", "buy"]
    assert [len(series.points) for series in plots[0].series] == [200, 200]
    by_label = plots[-1].series
    assert [one.name for one in by_label] == ["not in its population", "no buy", "buy"]
    assert sum(len(one.points) for one in by_label) == 200


@pytest.fixture(scope="module")
def rows(planted, model):
    import tensorflow_transform as tft

    from mtlx.components.model_insight.evaluated_rows import read_rows
    from mtlx.trainer.serving.export import ServedModel

    transformed = tft.TFTransformOutput(planted.transform_graph)
    served = ServedModel(model.scorer, transformed, CONTRACT)
    files = sorted(tf.io.gfile.glob(f"{planted.examples}/Split-test/*"))
    return read_rows({(): files[:1], ("buy",): files[1:]}, served, CONTRACT, 1000, lambda _: None)


@pytest.fixture(scope="module")
def model(planted):
    import tensorflow_transform as tft

    from mtlx.components.model_insight.insight_model import InsightModel
    from mtlx.trainer.warm_start.base_model import BaseModel
    from mtlx.trainer.warm_start.rebuilt_model import rebuilt_model
    from mtlx.transform.analysis.model_inputs_builder import build_model_inputs

    transformed = tft.TFTransformOutput(planted.transform_graph)
    inputs = build_model_inputs(CONTRACT, transformed)
    scorer = rebuilt_model(planted.model, inputs)
    return InsightModel(scorer, CONTRACT, inputs, BaseModel(planted.model).record.model)


def test_a_sample_is_drawn_from_all_rows_and_knows_which_labels_count(planted, model, rows):
    assert len(rows) == 1000 and rows.total == len(planted.rows)
    of_first = {encode(row) for row in planted.rows[0::2]}
    first = np.array([example in of_first for example in rows.examples])
    assert 400 < first.sum() < 600
    clicked = rows.labels[:, 0] > 0
    np.testing.assert_array_equal(rows.counts[:, 0], True)
    np.testing.assert_array_equal(rows.counts[:, 1], clicked & first)
    served = tf.saved_model.load(planted.served).signatures["serving_default"]
    scores = served(tf.constant(rows.examples))
    expected = np.stack([scores[task].numpy() for task in TASKS], axis=1)
    np.testing.assert_allclose(model.probabilities(rows.features), expected, atol=1e-6)


def test_what_a_model_lacks_is_a_sentence(look, planted, monkeypatch):
    from mtlx.components.model_insight.insight_model import InsightModel

    monkeypatch.setattr(InsightModel, "gate_names", {})
    (gates,) = look(["gates"]).insights
    assert gates.reason == "network 'mmoe' has no gates" and not gates.figures


def test_no_rows_of_the_split_are_refused(look, planted, monkeypatch):
    monkeypatch.setattr(
        "mtlx.components.model_insight.executor.evaluated_files", lambda *_: {(): []}
    )
    with pytest.raises(ValueError, match="holds no examples"):
        look(["gates"])
