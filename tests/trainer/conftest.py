"""A small log with a planted signal, transformed and trained on by the stock components."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from mtlx.components.one_pass_transform.component import OnePassTransform
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.contract.data_contract import DataContract
from tests.graph_rewriting import rewritten
from tests.shared_between_processes import made_once

CONTRACT = {
    "features": {
        "user": {"kind": "categorical", "embed": False},
        "item": {"kind": "categorical"},
        "city": {"kind": "categorical", "hash_buckets": 16},
        "scenario": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "age": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 4},
    },
    "tasks": {
        "ctr": {"label": "click"},
        "cvr": {"label": "buy", "after": "ctr", "population": "ctr"},
    },
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
}
SPLITS = {"train": 900, "validation": 300, "test": 50}
MODEL = {
    "network": "mmoe",
    "options": {"experts": 2, "expert_hidden": [8], "tower_hidden": [8], "dropout": 0.1},
    "embedding_size": 4,
}
TRAINING = {
    "epochs": 2,
    "batch_size": 128,
    "shuffle_rows": 256,
    "checkpoint_every_steps": 3,
    "learning_rate": 0.02,
    "precision": "float32",
}


@pytest.fixture(scope="session", autouse=True)
def _kernels_outlive_seeds():
    """Whoever sets a seed makes TensorFlow forget all kernels that operations and graphs have run.

    It is for operations whose kernels hold a generator's state, of which there are none here: Keras
    keeps its own in variables. To make kernels anew is two fifths of the time of building a model.
    """

    def set_seed(self, seed):
        self._seed, self._rng = seed, random.Random(seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context.Context, "_set_global_seed", set_seed)
        yield


def _feature(value):
    if value == []:
        return tf.train.Feature()
    if isinstance(value, list):
        values = [item.encode() for item in value]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def encode(row):
    """A raw tf.Example, as LogExampleGen writes it: text as lists, a missing value as []."""
    features = {name: _feature(value) for name, value in row.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def make_rows(rows, seed):
    """Click follows item and price, purchase the user's age; a tenth of the values is missing."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        item, price, age = int(random.integers(12)), float(random.normal()), random.integers(15, 70)
        click = int(random.random() < 1 / (1 + np.exp(-(item - 6) / 2 - price)))
        buy = int(click and random.random() < 1 / (1 + np.exp(-(age - 40) / 6)))
        row = {
            "user": [f"u{random.integers(40)}"],
            "item": [f"i{item}"],
            "city": [] if random.random() < 0.1 else [f"c{random.integers(20)}"],
            "scenario": [["feed", "search"][int(random.integers(2))]],
            "price": [] if random.random() < 0.1 else price,
            "age": [] if random.random() < 0.1 else float(age),
            "clicks": [f"i{n}" for n in random.integers(0, 12, int(random.integers(0, 7)))],
        }
        made.append({**row, "click": click, "buy": buy})
    return made


@pytest.fixture(scope="session")
def contract():
    return DataContract.read(CONTRACT)


@pytest.fixture(scope="session")
def logs(tmp_path_factory):
    """Rows by split, and the folder with their examples."""
    return made_once(tmp_path_factory, "logs", _write_logs)


def _write_logs(folder):
    rows = {}
    for seed, (split, number) in enumerate(SPLITS.items()):
        rows[split] = make_rows(number, seed)
        (folder / split).mkdir()
        for shard in range(2):
            path = folder / split / f"data-{shard:05d}-of-00002.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for row in rows[split][shard::2]:
                    writer.write(encode(row))
    return SimpleNamespace(rows=rows, folder=folder)


def _write_schema(folder, contract):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    kinds = {"categorical": schema_pb2.BYTES, "numeric": schema_pb2.FLOAT}
    for name, feature in contract.features.items():
        schema.feature.add(name=name, type=kinds.get(feature.kind, schema_pb2.BYTES))
    for task in contract.tasks.values():
        schema.feature.add(name=task.label, type=schema_pb2.INT)
    path = folder / "schema.pbtxt"
    path.write_text(text_format.MessageToString(schema))
    return str(path)


@pytest.fixture(scope="session")
def custom_config(contract, tmp_path_factory):
    return {
        "data_contract": contract.to_json(),
        "model": ModelSettings.read(MODEL).to_json(),
        "training": TrainingSettings.read(TRAINING).to_json(),
        "checkpoint_root": str(tmp_path_factory.mktemp("checkpoints")),
    }


@pytest.fixture(scope="session")
def trained(contract, custom_config, logs, tmp_path_factory):
    """Paths of what Transform and Trainer made of the log, run by LocalDagRunner."""
    return made_once(
        tmp_path_factory, "trained", lambda root: _train(root, contract, custom_config, logs)
    )


def _train(root, contract, custom_config, logs):
    from tests import tfx_parts as tfx

    splits = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in SPLITS]
    examples = tfx.components.ImportExampleGen(
        input_base=str(logs.folder), input_config=tfx.proto.Input(splits=splits)
    )
    schema = tfx.components.ImportSchemaGen(schema_file=_write_schema(root, contract))
    transform = OnePassTransform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        data_contract=contract.to_json(),
        analyze_splits=("train",),
        transform_splits=tuple(SPLITS),
    ).with_id("Transform")
    trainer = tfx.components.Trainer(
        run_fn="mtlx.trainer.run_fn.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["validation"]),
        custom_config=custom_config,
    )
    store = str(root / "metadata.sqlite")
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="trainer_test",
        pipeline_root=str(root),
        components=[examples, schema, transform, trainer],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            store
        ),
    )
    with rewritten():
        tfx.orchestration.LocalDagRunner().run(pipeline)

    def output(component, name):
        (path,) = (root / component / name).iterdir()
        return path

    run = output("Trainer", "model_run")
    return SimpleNamespace(
        transform_graph=output("Transform", "transform_graph"),
        examples=output("Transform", "transformed_examples"),
        model=output("Trainer", "model") / "Format-Serving",
        run=run,
        history=json.loads((run / "history.json").read_text()),
    )


@pytest.fixture(scope="session")
def fn_args(trained, custom_config):
    """Arguments of run_fn that train into a folder, as the Trainer's executor passes them."""

    def make(folder, **config):
        return SimpleNamespace(
            train_files=[str(trained.examples / "Split-train" / "*")],
            eval_files=[str(trained.examples / "Split-validation" / "*")],
            transform_output=str(trained.transform_graph),
            serving_model_dir=str(folder / "model"),
            model_run_dir=str(folder / "run"),
            custom_config={**custom_config, **config},
        )

    return make


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A served model of random weights, its log, and the log's examples; see `served_log`."""
    from tests.trainer.served_log import build

    return made_once(tmp_path_factory, "shop", build)
