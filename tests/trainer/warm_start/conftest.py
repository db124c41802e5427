"""A second day of the small log: the same rows, transformed with other vocabularies."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.components.one_pass_transform.example_transformer import transform_file
from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.trainer.run_fn import run_fn
from mtlx.trainer.settings import TrainingSettings
from mtlx.transform.analysis.finished_analysis import keep_numbers, kept_numbers
from tests.trainer.conftest import SPLITS, TRAINING, _write_schema

ITEMS = [f"i{n}" for n in range(12)]


@pytest.fixture(scope="session")
def another_day(trained, contract, logs):
    """Transforms the log anew: with a given vocabulary of items, and the first day's numbers."""

    def function(folder, item):
        analysis, graph = folder / "analysis", folder / "graph"
        analysis.mkdir(parents=True)
        for name, values in (("item", item), ("scenario", ("search", "feed"))):
            lines = "".join(f"{value}\n" for value in values)
            (analysis / f"{name}_vocabulary").write_text(lines)
        shutil.copy(kept_numbers(str(trained.transform_graph)), analysis / "numbers.json")
        schema = schema_pb2.Schema()
        with open(_write_schema(folder, contract), encoding="utf-8") as file:
            text_format.Parse(file.read(), schema)
        write_graph(schema, contract, str(analysis), str(graph))
        keep_numbers(str(analysis), str(graph))
        for split in SPLITS:
            (folder / split).mkdir()
            for file in sorted((logs.folder / split).iterdir()):
                pair = (str(file), str(folder / split / file.name))
                transform_file(pair, str(graph), str(folder / "unfinished"))
        return folder

    return function


@pytest.fixture(scope="session")
def begin(custom_config):
    """Runs the Trainer's function on a day's folder, with a base model; returns what it left."""

    def function(day, base, **training):
        out = day / "run"
        out.mkdir()
        values = {**TRAINING, "warm_start": "latest_blessed", **training}
        config = {
            **custom_config,
            "training": TrainingSettings.read(values).to_json(),
            "checkpoint_root": str(out / "checkpoints"),
        }
        run_fn(
            SimpleNamespace(
                train_files=[str(day / "train" / "*")],
                eval_files=[str(day / "validation" / "*")],
                transform_output=str(day / "graph"),
                serving_model_dir=str(out / "model"),
                model_run_dir=str(out / "history"),
                custom_config=config,
                base_model=str(base),
            )
        )
        history = json.loads((out / "history" / "history.json").read_text())
        return SimpleNamespace(model=out / "model", history=history)

    return function


def served(model, examples):
    """Probabilities by task of raw examples."""
    outputs = tf.saved_model.load(str(model)).signatures["serving_default"](tf.constant(examples))
    return {name: np.asarray(values) for name, values in outputs.items()}
