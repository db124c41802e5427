"""What the examples hold: by the contract, and by a look at them."""

import tensorflow as tf

from mtlx.components.slice_evaluation.models.held_features import (
    LOOKED_AT,
    first_examples,
    held_features,
)
from mtlx.components.slice_evaluation.models.model_reads import FeatureForm


def test_the_contracts_features_and_labels_are_held_without_any_example(contract):
    held = held_features(contract, [])
    assert held["interest"] == FeatureForm("a number", "numeric")
    assert held["gender"] == FeatureForm("text", "categorical")
    assert held["click"] == FeatureForm("a whole number", "label")
    assert len(held) == 5 + 3


def test_what_stands_in_an_example_counts_and_keeps_its_kind(contract, example_of):
    held = held_features(contract, [example_of({"gender": 1, "interest": 0.5, "extra": "x"})])
    assert held["gender"] == FeatureForm("a whole number", "categorical")
    assert held["interest"] == FeatureForm("a number", "numeric")
    assert held["extra"] == FeatureForm("text", None)


def test_a_feature_without_a_value_says_nothing(contract, example_of):
    examples = [example_of({"interest": None, "extra": None})]
    held = held_features(contract, examples)
    assert held["interest"] == FeatureForm("a number", "numeric") and "extra" not in held
    later = held_features(contract, [*examples, example_of({"extra": 2})])
    assert later["extra"] == FeatureForm("a whole number", None)


def test_only_the_first_examples_of_all_files_are_looked_at(tmp_path, example_of):
    files = []
    for name, rows in (("a.gz", LOOKED_AT - 6), ("b.gz", 20)):
        files.append(str(tmp_path / name))
        with tf.io.TFRecordWriter(files[-1], "GZIP") as writer:
            for row in range(rows):
                writer.write(example_of({name: row}))
    found = first_examples(files)
    assert len(found) == LOOKED_AT
    assert found[0] == example_of({"a.gz": 0}) and found[-1] == example_of({"b.gz": 5})
    assert len(first_examples(files[1:])) == 20 and first_examples([]) == []
