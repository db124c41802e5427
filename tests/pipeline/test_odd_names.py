"""The oddest names that are accepted go through every node, into the served model and out of it."""

import csv

import numpy as np
import pytest
import tensorflow as tf
import yaml

from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.transform.contract.name_checks import LONGEST_NAME, served_name

LONG = "x" * LONGEST_NAME
DOMAINS = ["a,b=c", "*", "größe [x] / ../5"]
TASKS = {"click": "has clicked?", "buy now/größe:1,2=x": "Käufe/1:2 = x"}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd names ä #%&")
    drawn = np.random.default_rng(3)
    header = ["Preis in €", "25_ctr", "user-id", "größe/../x", "Verlauf", "self", *TASKS.values()]
    with open(folder / "log.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for _ in range(900):
            click = int(drawn.random() < 0.5)
            items = "|".join(drawn.choice(["p", "q", "r"], 3))
            numbers = [round(drawn.random(), 3), round(drawn.random(), 3)]
            texts = [f"u{drawn.integers(40)}", drawn.choice(["p", "q", "r"]), items]
            buy = click * int(drawn.random() < 0.5)
            writer.writerow([*numbers, *texts, drawn.choice(DOMAINS), click, buy])
    values = {
        "name": "odd",
        "data": {
            "path": str(folder / "log.csv"),
            "split": {"by": "row", "shuffle": True, "train": 0.5, "validation": 0.2, "test": 0.3},
        },
        "features": {
            "price.eur-1": {"kind": "numeric", "column": "Preis in €"},
            "25_ctr": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4},
            "user-id": {"kind": "categorical", "hash_buckets": 10},
            LONG: {"kind": "categorical", "column": "größe/../x"},
            "a..b": {"kind": "sequence", "of": LONG, "max_length": 3, "column": "Verlauf"},
            "Overall": {"kind": "categorical", "column": "self"},
        },
        "target_item": LONG,
        "domain": {"feature": "Overall", "values": DOMAINS},
        "tasks": {
            "click": {"label": TASKS["click"]},
            "buy now/größe:1,2=x": {
                "label": TASKS["buy now/größe:1,2=x"], "after": "click", "population": "click",
            },
        },
        "model": {"network": "mmoe", "options": {"experts": 2}, "embedding_size": 4},
        "training": {"epochs": 1, "batch_size": 128, "precision": "float32"},
        "evaluation": {"slices": [["domain"]], "user_key": "user-id"},
        "gate": {
            "minimum_positives": 5,
            "thresholds": [
                {"rule": "auc", "minimum": 0.0, "slice": "domain=a,b=c"},
                {"rule": "auc", "minimum": 0.0, "task": "buy now/größe:1,2=x"},
            ],
        },
        "serving": {"push_to": str(folder / "serving"), "check": {"calls": 3}},
    }  # fmt: skip
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return read_experiment(path)


def test_odd_names_are_trained_judged_pushed_and_served(experiment):
    result = run_experiment(experiment)
    assert result.blessed
    # The log's column is called after a folder above: no file of a vocabulary went there.
    beside = {path.name for path in result.folder.parents[4].iterdir()}
    assert beside == {"experiment.yaml", "log.csv", "serving", "var"}
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    assert {(("domain", domain),) for domain in DOMAINS} <= set(results.slices)

    served = tf.saved_model.load(result.pushed_to)
    files = tf.io.gfile.glob(result.output("LogExampleGen", "examples") + "/Split-test/*")
    examples = list(tf.data.TFRecordDataset(files, "GZIP").take(7))
    by_example = served.signatures["serving_default"](tf.stack(examples))
    columns = served.signatures["serving_columns"]
    names = {served_name(name): name for name in experiment.features}
    assert set(columns.structured_input_signature[1]) == set(names)

    parsed = [tf.train.Example.FromString(example.numpy()).features.feature for example in examples]
    given = {}
    for key, name in names.items():
        kind = experiment.features[name].kind
        if kind == "numeric":
            given[key] = tf.constant([row[name].float_list.value[0] for row in parsed])
        else:
            texts = [list(row[name].bytes_list.value) for row in parsed]
            given[key] = tf.constant(texts if kind == "sequence" else [text[0] for text in texts])
    by_column = columns(**given)
    assert set(by_column) == set(by_example) == set(TASKS)
    for task in TASKS:
        np.testing.assert_allclose(by_column[task], by_example[task], atol=1e-6)
        assert np.ptp(by_example[task].numpy()) > 0
