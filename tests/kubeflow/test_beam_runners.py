"""Our Beam components on other runners than the one in this process, with the same results."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from mtlx.components.batch_statistics_gen.executor import Executor as BatchStatistics
from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.log_example_gen.executor import Executor as LogExamples
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.one_pass_transform.executor import Executor as OnePassTransform
from mtlx.components.slice_evaluation.executor import Executor as SliceEvaluation
from mtlx.components.slice_evaluation.results import load_results
from mtlx.transform.contract.data_contract import DataContract
from tests.beam_workers import fork_workers
from tests.forked_process import ForkedProcess
from tests.light_beam import for_other_processes

ROOT = Path(__file__).parents[2]
CONTRACT = DataContract.read(
    {
        "features": {
            "user": {"kind": "categorical", "embed": False},
            "item": {"kind": "categorical"},
            "scene": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
        },
        "domain": {"feature": "scene", "values": ["feed", "search"]},
        "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "after": "click"}},
    }
)
SPLITS = ("train", "validation", "test")
#: As an experiment file has them in kubeflow.settings: run.beam_pipeline_args. An image named
#: here keeps TFX from packing itself up for the workers.
IMAGE = "--sdk_container_image=mtlx"
PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2", IMAGE]
PORTABLE = ["--runner=PortableRunner", IMAGE]


@pytest.fixture(scope="module", autouse=True)
def _processes():
    """What other processes need; TFX gives sys.argv to absl, which stumbles over pytest's -v."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["pytest"])
        # Workers are started as `python`, whichever comes first, and need our packages.
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        for_other_processes(patch)
        yield


class Model(tf.Module):
    """A probability per task from the price."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        price = tf.io.FixedLenFeature([], tf.float32, 0.0)
        parsed = tf.io.parse_example(examples, {"price": price})["price"]
        return {"click": tf.sigmoid(parsed - 3.0), "buy": tf.sigmoid(-0.3 * parsed)}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Logs in three files, a schema, a model: what the nodes are given."""
    folder = tmp_path_factory.mktemp("inputs")
    for part in range(3):
        lines = ["user,item,scene,price,clicks,click,buy"]
        for row in range(part * 100, part * 100 + 100):
            click, scene = int(row % 3 == 0), ("feed", "search")[row % 2]
            items = f"i{row % 11}|i{row % 5}"
            price = 1.0 + row * 37 % 100 / 20
            line = f"u{row % 23},i{row % 11},{scene},{price},{items},{click},{int(row % 9 == 0)}"
            lines.append(line)
        (folder / f"part-{part}.csv").write_text("\n".join(lines) + "\n")
    kinds = {"user": "BYTES", "item": "BYTES", "scene": "BYTES", "price": "FLOAT"}
    kinds |= {"clicks": "BYTES", "click": "INT", "buy": "INT"}
    schema = schema_pb2.Schema()
    for name, kind in kinds.items():
        schema.feature.add(name=name, type=kind)
    (folder / "schema").mkdir()
    (folder / "schema/schema.pbtxt").write_text(text_format.MessageToString(schema))
    model = Model()
    path = str(folder / "model/Format-Serving")
    tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
    return folder


def artifact(kind, uri, splits=None):
    made = kind()
    made.uri = str(uri)
    if splits:
        made.split_names = artifact_utils.encode_split_names(list(splits))
    return [made]


def execute(executor, arguments, folder, inputs, outputs, properties):
    """Runs an executor as TFX's launcher does."""
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(arguments), tmp_dir=str(folder / "tmp"), unique_id="1"
    )
    executor(context).Do(inputs, outputs, properties)


def read_logs(inputs, folder, arguments):
    data = DataSettings.read(
        {
            "path": str(inputs / "part-*.csv"),
            "split": {"by": "row", "train": 0.5, "validation": 0.2, "test": 0.3},
        }
    )
    node = LogExampleGen(data, CONTRACT, str(folder / "quarantine"))
    examples = artifact(standard_artifacts.Examples, folder / "examples")
    execute(LogExamples, arguments, folder, {}, {"examples": examples}, node.exec_properties)
    return examples


def describe(examples, folder, arguments):
    statistics = artifact(standard_artifacts.ExampleStatistics, folder / "statistics")
    properties = {"sample_rate": 1.0, "data_contract": CONTRACT.to_json(), "count_values": 1}
    outputs = {"statistics": statistics}
    execute(BatchStatistics, arguments, folder, {"examples": examples}, outputs, properties)


def transform(inputs, examples, folder, arguments):
    outputs = {
        "transform_graph": artifact(standard_artifacts.TransformGraph, folder / "graph"),
        "transformed_examples": artifact(standard_artifacts.Examples, folder / "transformed"),
    }
    properties = {
        "data_contract": CONTRACT.to_json(),
        "analyze_splits": "train",
        "transform_splits": "train,validation",
    }
    schema = artifact(standard_artifacts.Schema, inputs / "schema")
    given = {"examples": examples, "schema": schema}
    execute(OnePassTransform, arguments, folder, given, outputs, properties)


def evaluate(inputs, examples, folder, arguments):
    settings = {"slices": [["domain"]], "batch_size": 32, "user_key": "user"}
    candidate = artifact(standard_artifacts.Model, inputs / "model")
    given = {"examples": examples, "candidate": candidate, "baseline": []}
    outputs = {"evaluation": artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")}
    properties = {"data_contract": CONTRACT.to_json(), "evaluation_settings": json.dumps(settings)}
    execute(SliceEvaluation, arguments, folder, given, outputs, properties)


def run_all(inputs, folder, arguments):
    """All four components on one runner."""
    examples = read_logs(inputs, folder, arguments)
    describe(examples, folder, arguments)
    transform(inputs, examples, folder, arguments)
    evaluate(inputs, examples, folder, arguments)
    return folder


@pytest.fixture(scope="module")
def expected(inputs, tmp_path_factory):
    """Folder of what the nodes give in this process."""
    return run_all(inputs, tmp_path_factory.mktemp("in_memory"), [])


def records(folder):
    """Examples by file, the folder's own name left out; each process orders features anew."""
    return {
        str(path.relative_to(folder)): [
            tf.train.Example.FromString(record.numpy()).SerializeToString(deterministic=True)
            for record in tf.data.TFRecordDataset(str(path), "GZIP")
        ]
        for path in sorted(folder.rglob("*.gz"))
    }


def assert_same_examples(found, expected):
    written = records(expected / "examples")
    assert sum(map(len, written.values())) == 300
    assert records(found / "examples") == written
    summaries = [
        json.loads((folder / "examples/ingestion/summary.json").read_text())
        for folder in (found, expected)
    ]
    assert summaries[0]["rows"] == summaries[1]["rows"]


def statistics(folder, split):
    path = folder / f"statistics/Split-{split}/FeatureStats.pb"
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    described = {}
    for feature in found.datasets[0].features:
        name = ".".join(feature.path.step)
        numbers = feature.num_stats
        described[name] = (
            feature.string_stats.unique,
            sorted((v.value, v.frequency) for v in feature.string_stats.top_values),
            pytest.approx([numbers.mean, numbers.std_dev, numbers.min, numbers.max], nan_ok=True),
        )
    return found.datasets[0].num_examples, described


def assert_same_statistics(found, expected):
    for split in SPLITS:
        rows, described = statistics(found, split)
        rows_expected, described_expected = statistics(expected, split)
        assert rows == rows_expected > 0
        assert set(described) == set(described_expected) and len(described) == 7
        for name, (unique, top, numbers) in described.items():
            assert (unique, top) == described_expected[name][:2]
            assert numbers.expected == described_expected[name][2]


def assert_same_transform(found, expected):
    assert records(found / "transformed") == records(expected / "transformed") != {}
    assets = "graph/transform_fn/assets"
    names = sorted(path.name for path in (expected / assets).iterdir())
    assert names and sorted(path.name for path in (found / assets).iterdir()) == names
    for name in names:
        assert (found / assets / name).read_bytes() == (expected / assets / name).read_bytes()


def assert_same_evaluation(found, expected):
    found, expected = (load_results(str(folder / "evaluation")) for folder in (found, expected))
    for task in ("click", "buy"):
        for key in ((), (("domain", "feed"),), (("domain", "search"),)):
            there = expected.metric("candidate", task, key)
            assert 0 < there.auc < 1
            here = found.metric("candidate", task, key)
            assert here.left_out == there.left_out and set(here.values) == set(there.values)
            assert (here.examples, here.positives) == (there.examples, there.positives)
            for name, estimate in here.values.items():
                assert estimate[:3] == pytest.approx(there.values[name][:3]), name


def assert_same(found, expected):
    assert_same_examples(found, expected)
    assert_same_statistics(found, expected)
    assert_same_transform(found, expected)
    assert_same_evaluation(found, expected)


def test_direct_runner_with_several_processes(inputs, expected, tmp_path):
    """Every pipeline starts its workers anew: one is enough here, and one that imports all."""
    with pytest.MonkeyPatch.context() as patch:
        fork_workers(patch, tmp_path, but_one=True)
        read_logs(inputs, tmp_path, PROCESSES)
    assert_same_examples(tmp_path, expected)


@pytest.fixture(scope="module")
def job_server(tmp_path_factory):
    """Address of a job server in a process of its own."""
    port_file = tmp_path_factory.mktemp("job_server") / "port"
    command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
    command += ["--port_file", str(port_file), "--staging_dir", str(port_file.parent / "staging")]
    with server(command, port_file.exists, port_file.parent / "log"):
        yield f"localhost:{port_file.read_text()}"


@pytest.fixture(scope="module")
def worker_pool(tmp_path_factory):
    """Address of the worker pool that stands beside a Flink task manager."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main"]
    folder = tmp_path_factory.mktemp("worker_pool")
    log = folder / "log"

    def answers():
        with socket.socket() as client:
            return client.connect_ex(("localhost", port)) == 0

    with pytest.MonkeyPatch.context() as patch:
        # It starts one for each pipeline. That they import what they need is seen above.
        fork_workers(patch, folder)
        with server([*command, f"--service_port={port}"], answers, log):
            yield f"localhost:{port}"


class server:  # noqa: N801 (used as a function)
    """A process from its first answer to the end of the block."""

    def __init__(self, command, is_ready, log):
        self._command, self._is_ready, self._log = command, is_ready, log

    def __enter__(self):
        with self._log.open("w") as log:
            self._process = ForkedProcess(self._command, stdout=log, stderr=log, env=os.environ)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def __exit__(self, *unused):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def test_portable_runner_with_workers_in_the_submitting_process(
    inputs, expected, tmp_path, job_server
):
    arguments = [*PORTABLE, f"--job_endpoint={job_server}", "--environment_type=LOOPBACK"]
    assert_same(run_all(inputs, tmp_path, arguments), expected)


def test_portable_runner_with_workers_that_run_already(
    inputs, expected, tmp_path, job_server, worker_pool
):
    arguments = [*PORTABLE, f"--job_endpoint={job_server}"]
    arguments += ["--environment_type=EXTERNAL", f"--environment_config={worker_pool}"]
    # The node with the most pipelines of its own, and TFT's: each starts a worker.
    examples = artifact(standard_artifacts.Examples, expected / "examples", SPLITS)
    transform(inputs, examples, tmp_path, arguments)
    assert_same_transform(tmp_path, expected)
