"""One model from three seeds: what is trained, kept, exported, evaluated and judged."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from mtlx.trainer.run_fn import run_fn
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.warm_start.base_model import BaseModel
from mtlx.transform.contract.data_contract import DataContract
from tests.trainer.conftest import CONTRACT, TRAINING, encode

#: As in the processes, or the training, that these are compared with.
pytestmark = pytest.mark.usefixtures("rewritten_graphs")

#: The second one is that of the model that other tests train alone.
SEEDS = (0, 1, 2)
#: Epochs are compared by the plain mean of the tasks' log losses, which NumPy has, too.
SETTINGS = {**TRAINING, "select_by": {"metric": "log_loss", "shrinkage": 0}}
#: Of 900 rows in batches of 128, twice.
STEPS = 16


class _Interrupted(Exception):
    pass


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def _counted(patch, fail_at=None):
    """Counts the steps that are taken; raises in the given one."""
    steps, take = [], OrdinaryStep.__call__

    def step(self, batch):
        steps.append(1)
        if len(steps) == fail_at:
            raise _Interrupted
        return take(self, batch)

    patch.setattr(OrdinaryStep, "__call__", step)
    return steps, lambda: patch.setattr(OrdinaryStep, "__call__", take)


@pytest.fixture(scope="module")
def repeated(fn_args, patched, tmp_path_factory):
    """Folder of an artifact that was trained from three seeds, interrupted in the second one."""
    root = tmp_path_factory.mktemp("repeated")

    def arguments(name):
        made = fn_args(
            root / name,
            training=json.dumps({**SETTINGS, "seed": SEEDS[0], "repeats": 3}),
            checkpoint_root=str(root / "checkpoints"),
        )
        made.serving_model_dir = str(root / name / "model" / "Format-Serving")
        return made

    _, undo = _counted(patched, fail_at=STEPS + 6)
    with pytest.raises(_Interrupted):
        run_fn(arguments("first"))
    undo()
    kept = sorted(path.name for path in (root / "checkpoints").glob("*/*"))
    steps, undo = _counted(patched)
    run_fn(arguments("again"))
    undo()
    assert not (root / "first" / "model").exists()
    return root / "again", kept, len(steps), root / "checkpoints"


def _predictions(folder, rows):
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return {
        task: values.numpy()
        for task, values in served(tf.constant(list(map(encode, rows)))).items()
    }


@pytest.fixture(scope="module")
def predictions(repeated, logs):
    """Of each seed's model on the validation rows, by task."""
    model = repeated[0] / "model"
    record = RepeatsRecord.beside(str(model / "Format-Serving"))
    folders = record.folders(str(model / "Format-Serving"))
    return {seed: _predictions(folder, logs.rows["validation"]) for seed, folder in folders.items()}


def _labels(rows):
    click, buy = (np.array([row[name] for row in rows]) for name in ("click", "buy"))
    return {"ctr": (click, np.ones(len(rows), bool)), "cvr": (buy, click == 1)}


def test_an_interrupted_training_goes_on_and_finished_seeds_are_not_trained_again(repeated):
    folder, kept, steps, checkpoints = repeated
    assert kept == ["finished_0", "seed_1"]
    histories = {
        seed: json.loads((folder / f"run/repeats/{seed}/history.json").read_text())
        for seed in SEEDS
    }
    assert {s: h["resumed_from_step"] for s, h in histories.items()} == {0: None, 1: 3, 2: None}
    assert steps == (STEPS - 3) + STEPS
    assert not list(checkpoints.iterdir())


def test_each_seed_ends_with_the_model_that_it_alone_gives(predictions, repeated, trained, logs):
    """The second one was interrupted, and trained in a process that had trained another."""
    history = json.loads((repeated[0] / "run/repeats/1/history.json").read_text())
    assert history["best_epoch"] == trained.history["best_epoch"]
    expected = _predictions(trained.model, logs.rows["validation"])
    for task, values in predictions[1].items():
        np.testing.assert_allclose(values, expected[task], atol=1e-6)
        assert np.abs(values - predictions[0][task]).max() > 0.01
    assert not (trained.model.parent / "repeats").exists() and trained.history["notes"] == []


def test_the_median_is_exported(repeated, predictions, logs):
    folder = repeated[0]
    model = folder / "model" / "Format-Serving"
    record = RepeatsRecord.beside(str(model))
    labels = _labels(logs.rows["validation"])
    losses = [
        np.mean([log_loss(y[own], predictions[seed][t][own]) for t, (y, own) in labels.items()])
        for seed in SEEDS
    ]
    assert record.seeds == SEEDS and record.metric == "log loss"
    np.testing.assert_allclose(record.values, losses, atol=1e-5)
    assert len(set(np.round(losses, 4))) == 3
    assert record.exported == SEEDS[int(np.argsort(losses)[1])]
    # The exported model is that seed's: these are the losses of what lies in each place.
    history = json.loads((folder / "run/history.json").read_text())
    kept = history["epochs"][history["best_epoch"] - 1]
    assert kept["selection"] == record.values[SEEDS.index(record.exported)]
    assert history["notes"][0].startswith("Trained from 3 seeds: log loss ")


def test_the_others_are_models_beside_it_without_what_a_training_begins_with(repeated):
    folder = repeated[0] / "model"
    exported = RepeatsRecord.beside(str(folder / "Format-Serving")).exported
    others = {str(seed) for seed in SEEDS if seed != exported}
    assert {path.name for path in (folder / "repeats").iterdir()} == {"repeats.json", *others}
    for seed in others:
        assert (folder / "repeats" / seed / "saved_model.pb").exists()
        assert (folder / "repeats" / seed / "assets.extra/serving_contract.json").exists()
        assert not (folder / "repeats" / seed / "assets.extra/mtlx").exists()
    # A training begins with the exported one.
    base = BaseModel(str(folder))
    assert base.folder == str(folder / "Format-Serving") and base.weights()


@pytest.fixture(scope="module")
def evaluation(repeated, trained, logs, tmp_path_factory):
    """The three seeds against a model that was trained once, over the validation rows."""
    from tfx.dsl.components.base import base_beam_executor
    from tfx.types import standard_artifacts

    from mtlx.components.slice_evaluation.executor import Executor

    root = tmp_path_factory.mktemp("evaluation")
    shutil.copytree(logs.folder / "validation", root / "examples/Split-test")

    def artifact(kind, uri):
        made = kind()
        made.uri = str(uri)
        return [made]

    examples = artifact(standard_artifacts.Examples, root / "examples")
    examples[0].split_names = json.dumps(["test"])
    inputs = {
        "examples": examples,
        "candidate": artifact(standard_artifacts.Model, repeated[0] / "model"),
        "baseline": artifact(standard_artifacts.Model, trained.model.parent),
        "reference": artifact(standard_artifacts.Model, repeated[0] / "model"),
    }
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=[], tmp_dir=str(root / "tmp")
    )
    settings = {"user_key": "user", "slices": [], "metrics": ["log_loss", "gauc", "ece"]}
    Executor(context).Do(
        inputs,
        {"evaluation": artifact(standard_artifacts.ModelEvaluation, root)},
        {
            "data_contract": DataContract.read(CONTRACT).to_json(),
            "evaluation_settings": json.dumps(settings),
        },
    )
    return str(root)


def test_means_over_the_seeds_are_evaluated(evaluation, predictions, trained, logs, repeated):
    from mtlx.components.slice_evaluation.results import load_results

    results = load_results(evaluation)
    assert results.models == ("candidate", "baseline", "reference")
    record = RepeatsRecord.beside(str(repeated[0] / "model" / "Format-Serving"))
    assert {name: found.seeds for name, found in results.seeds.items()} == {
        "candidate": SEEDS,
        "reference": SEEDS,
    }
    assert results.seeds["candidate"].exported == record.exported
    given = _predictions(trained.model, logs.rows["validation"])
    for task, (labels, own) in _labels(logs.rows["validation"]).items():
        aucs = [roc_auc_score(labels[own], predictions[seed][task][own]) for seed in SEEDS]
        other = roc_auc_score(labels[own], given[task][own])
        found, compared = results.metric("candidate", task), results.comparison("baseline", task)
        assert found.auc == pytest.approx(np.mean(aucs), abs=1e-9)
        assert compared.auc_difference == pytest.approx(np.mean(aucs) - other, abs=1e-9)
        ratio = ((np.mean(aucs) - 0.5) / (other - 0.5) - 1) * 100
        assert compared.relaimp == pytest.approx(ratio, abs=1e-7)
        losses = [log_loss(labels[own], predictions[seed][task][own]) for seed in SEEDS]
        assert found.log_loss == pytest.approx(np.mean(losses), abs=1e-6)
        by_seed = [one for one in results.by_seed if (one.model, one.task) == ("candidate", task)]
        assert [one.seed for one in by_seed] == list(SEEDS)
        assert [one.values["auc"] for one in by_seed] == pytest.approx(aucs, abs=1e-9)
        assert found.auc_lower < found.auc < found.auc_upper
        assert compared.auc_difference_lower < compared.auc_difference_upper
        # The same three models twice.
        assert results.comparison("reference", task).auc_difference == 0
    served = results.metric("baseline", "ctr")
    assert served.auc == pytest.approx(roc_auc_score(*_of(given, logs, "ctr")), abs=1e-9)


def _of(predicted, logs, task):
    labels, own = _labels(logs.rows["validation"])[task]
    return labels[own], predicted[task][own]


def test_the_gate_decides_on_the_means_and_says_so(evaluation):
    from mtlx.components.relaimp_gate.judge import judge
    from mtlx.components.relaimp_gate.settings import GateSettings
    from mtlx.components.relaimp_gate.verdict import Verdict
    from mtlx.components.slice_evaluation.results import load_results

    results = load_results(evaluation)
    thresholds = [{"rule": "relaimp", "minimum": 0.0, "bound": "upper"}]
    settings = GateSettings.read({"thresholds": thresholds, "minimum_positives": 10})
    verdict = judge(results, settings, DataContract.read(CONTRACT))
    for check in verdict.checks:
        compared = results.comparison("baseline", check.task)
        assert (check.value, check.upper) == (compared.relaimp, compared.relaimp_upper)
    assert "3 trainings of the candidate, from seeds 0, 1, 2" in verdict.seeds
    assert "the baseline is one model, the reference of 3" in verdict.seeds
    verdict.save(evaluation)
    assert Verdict.load(evaluation) == verdict
