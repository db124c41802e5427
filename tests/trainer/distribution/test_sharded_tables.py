"""Tables of which two processes hold half the rows each train as one table in one process does."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from mtlx.trainer.training import loop
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.stored.sharded_array import ShardedArray
from tests.forked_process import ForkedProcess
from tests.free_ports import free_ports
from tests.graph_rewriting import AS_TRACED
from tests.trainer.distribution import sharded_training
from tests.trainer.training.killed import kill_behind

#: Trains in every folder of the list, whose checkpoint it finds there, with its settings, and
#: writes what comes of it beside that. The second worker is killed before it says that its part number `kill_at` is
#: written, if any.
WORKER = f"""
import json, os, runpy, signal, sys, time, types
import numpy as np
from mtlx.trainer.training.stored.shard_parts import ShardParts

training = types.SimpleNamespace(**runpy.run_path({sharded_training.__file__!r}))

examples, jobs, kill_at = json.loads(sys.argv[1])
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
note = ShardParts.note
def killed(self, number, groups):
    if number == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    note(self, number, groups)
ShardParts.note = killed
for folder, settings in jobs:
    method = training.method(examples, os.path.join(folder, "checkpoint"), **settings)
    found = training.outcome(method, method.train())
    np.savez(os.path.join(folder, f"worker_{{index}}.npz"), **found)
# The chief may still read the last exchange's numbers from here.
while not os.path.exists(os.path.join(jobs[-1][0], "worker_0.npz")):
    time.sleep(0.05)
print("done", flush=True)
os._exit(0)
"""
NO_STEP = {"epochs": 0, "warm_start": "a base model"}
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "0"}


def _start_pair(*arguments):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        processes.append(
            ForkedProcess(
                [sys.executable, "-c", AS_TRACED + WORKER, json.dumps(arguments)],
                env={**ENVIRONMENT, "TF_CONFIG": json.dumps(config)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("examples"))
    sharded_training.write_examples(folder)
    return folder


@pytest.fixture(scope="module")
def by_one(examples, tmp_path_factory):
    """What one process comes to without an interruption."""
    method = sharded_training.method(examples, str(tmp_path_factory.mktemp("one") / "checkpoint"))
    return sharded_training.outcome(method, method.train())


@pytest.fixture(scope="module")
def killed(examples, tmp_path_factory):
    """A folder with the checkpoint of two workers, of which one was killed in the fourth save."""
    folder = tmp_path_factory.mktemp("killed")
    processes = _start_pair(examples, [(str(folder), {})], 4)
    try:
        outputs = processes[1].communicate(timeout=120)
        assert processes[1].returncode == -signal.SIGKILL, outputs
    finally:
        processes[0].kill()
    processes[0].communicate()
    return folder


@pytest.fixture(scope="module")
def by_two(examples, killed, tmp_path_factory):
    """What two processes come to: from the killed pair's checkpoint, from one process's, and where
    they take no step.
    """
    folders = {name: tmp_path_factory.mktemp(name) for name in ("two", "one", "no_step")}
    shutil.copytree(killed / "checkpoint", folders["two"] / "checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "LEAST_BYTES", 0)
        checkpoint = str(folders["one"] / "checkpoint")
        kill_behind(sharded_training.method(examples, checkpoint), 7)
    jobs = [(str(folder), NO_STEP if name == "no_step" else {}) for name, folder in folders.items()]
    processes = _start_pair(examples, jobs, None)
    try:
        for process in processes:
            out, err = process.communicate(timeout=240)
            assert process.returncode == 0 and "done" in out, err[-3000:]
    finally:
        for process in processes:
            process.kill()
    return {
        name: [np.load(folder / f"worker_{index}.npz") for index in range(2)]
        for name, folder in folders.items()
    }


def _assert_same(found, expected):
    for name in ("losses", "validation"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    assert found["parameters"] == expected["parameters"]
    for name in (name for name in expected if name.startswith("weights/")):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("begun_by", ["two", "one"])
def test_two_workers_with_half_the_rows_each_train_as_one_with_all(by_two, by_one, begun_by):
    """Rows that no batch holds included, and whoever has begun the training."""
    for index, found in enumerate(by_two[begun_by]):
        own = found["table"]
        assert len(own) == (sharded_training.ROWS - index + 1) // 2
        for one, other in zip(
            (own, *found["slots"]), (by_one["table"], *by_one["slots"]), strict=True
        ):
            np.testing.assert_allclose(one, other[index::2], atol=1e-5)
    _assert_same(by_two[begun_by][0], by_one)
    touched = np.abs(by_one["slots"][1]).sum(axis=1) > 0
    assert 40 < touched.sum() < sharded_training.ROWS - 5


def test_a_checkpoint_counts_once_all_parts_are_written(by_two, killed):
    """The pair was killed when the chief's part of step 7, or later, was written alone."""
    assert {int(found["start"]) for found in by_two["two"]} == {5}
    arrays, state = CheckpointFolder(*os.path.split(killed / "checkpoint")).load()
    assert state["progress"]["step"] == 5
    sharded = [one for one in arrays["model"] if isinstance(one, ShardedArray)]
    assert [one.shape for one in sharded] == [(sharded_training.ROWS, 4)]


def test_one_process_goes_on_where_two_were_killed(examples, killed, by_one, tmp_path):
    shutil.copytree(killed / "checkpoint", tmp_path / "checkpoint")
    method = sharded_training.method(examples, str(tmp_path / "checkpoint"))
    found = sharded_training.outcome(method, method.train())
    assert found["start"] == 5
    _assert_same(found, by_one)


def test_what_no_step_has_changed_is_exported_as_one_process_drew_it(examples, by_two, tmp_path):
    method = sharded_training.method(examples, str(tmp_path / "checkpoint"), **NO_STEP)
    _assert_same(by_two["no_step"][0], sharded_training.outcome(method, method.train()))
