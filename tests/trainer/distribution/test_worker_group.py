"""Two real processes train as one does: same loss curve, same AUC, same served model."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.forked_process import ForkedProcess
from tests.free_ports import free_ports
from tests.graph_rewriting import AS_TRACED
from tests.planted_kills import KILL_AT_STEP

#: Trains every job of the list in turn; is killed in the step of the given number, if any. The
#: second worker has no memory for the examples.
WORKER = f"""
import json, os, sys, types
from mtlx.trainer.distribution.sharded_tables import ShardedTables
from mtlx.trainer.run_fn import run_fn

make, sharded = ShardedTables.make, []
ShardedTables.make = lambda *given: (sharded.append(given), make(*given))[1]
jobs, kill_at = json.loads(sys.argv[1])
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
options = dict(memory=lambda: 10_000) if index == 1 else dict()
{KILL_AT_STEP}
for job in jobs:
    run_fn(types.SimpleNamespace(**job), **options)
print("done,", len(sharded), "sharded", flush=True)
os._exit(0)
"""
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "0"}

#: No dropout, of which all machines draw alike.
NETWORK = {
    "network": "mmoe",
    "options": {
        **{"experts": 2, "expert_hidden": [8], "tower_hidden": [8], "dropout": 0.0},
        "normalization": "batch",
    },
    "embedding_size": 4,
}
TRAINING = {
    "epochs": 2,
    "patience": 2,
    "batch_size": 149,
    # More blocks than are shuffled together where they are not kept in memory.
    "shuffle_rows": 64,
    "checkpoint_every_steps": 7,
    "learning_rate": 0.02,
}
CASES = {
    # 900 rows in batches of 31: the last one is one row, of which one of the workers has none.
    "lazy_adam": {
        **{"optimizer": "lazy_adam", "clip_norm": 0.5, "l2": 1e-4, "batch_size": 31},
        "schedule": {"name": "cosine", "warm_up_share": 0.1},
        "average": 0.9,
        "embeddings": {"learning_rate": 0.03},
        "select_by": {"domains": "mean"},
    },
    # Exported from the shards that both have written.
    "sharded": {
        **{"optimizer": "lazy_adam", "clip_norm": 0.5, "l2": 1e-4, "schedule": "cosine"},
        "embeddings": {"learning_rate": 0.03, "shard": True},
    },
    "meta": {"method": "meta", "epochs": 1, "method_options": {"epochs": 1}},
}


def _start_pair(jobs, kill_at=None):
    """Starts two workers that train the jobs together."""
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        processes.append(
            ForkedProcess(
                [sys.executable, "-c", AS_TRACED + WORKER, json.dumps([jobs, kill_at])],
                env={**ENVIRONMENT, "TF_CONFIG": json.dumps(config)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


def _finish(processes, seconds=400):
    deadline = time.monotonic() + seconds
    try:
        return [p.communicate(timeout=max(1, deadline - time.monotonic())) for p in processes]
    finally:
        for process in processes:
            process.kill()


def _jobs(make, folder, cases):
    return {
        name: vars(
            make(
                folder / name,
                training=json.dumps({**TRAINING, **options}),
                model=json.dumps(NETWORK),
                checkpoint_root=str(folder / name / "checkpoints"),
            )
        )
        for name, options in cases.items()
    }


@pytest.fixture(scope="module")
def by_pair(fn_args, tmp_path_factory):
    """The jobs of all cases, trained by two processes, the first one from a killed pair's steps.

    The killed pair ends in the third step of the second of two epochs, which have thirty steps.
    """
    jobs = _jobs(fn_args, tmp_path_factory.mktemp("pair"), CASES)
    first = next(iter(jobs.values()))
    killed = _start_pair([first], kill_at=33)
    outputs = _finish(killed)
    assert [process.returncode for process in killed] == [-signal.SIGKILL] * 2, outputs
    assert not os.path.exists(first["serving_model_dir"])
    processes = _start_pair(list(jobs.values()))
    outputs = _finish(processes)
    for process, (out, err) in zip(processes, outputs, strict=True):
        assert process.returncode == 0 and "done, 1 sharded" in out, err[-3000:]
    return jobs


@pytest.fixture(scope="module")
def by_one(fn_args, tmp_path_factory):
    """The same, trained by this process, with as little memory."""
    import types

    from mtlx.trainer.run_fn import run_fn

    jobs = _jobs(fn_args, tmp_path_factory.mktemp("one"), CASES)
    for job in jobs.values():
        run_fn(types.SimpleNamespace(**job), memory=lambda: 10_000)
    return jobs


def _history(job):
    with open(os.path.join(job["model_run_dir"], "history.json")) as file:
        return json.load(file)


def _scores(job, examples):
    return tf.saved_model.load(job["serving_model_dir"]).signatures["serving_default"](examples)


@pytest.fixture(scope="module")
def raw_examples(logs):
    files = sorted(str(path) for path in (logs.folder / "validation").iterdir())
    return tf.stack(list(tf.data.TFRecordDataset(files, "GZIP")))


def _assert_same(ours, theirs, raw_examples):
    one, other = _history(ours), _history(theirs)
    assert len(one["epochs"]) == len(other["epochs"]) > 1
    assert one["best_epoch"] == other["best_epoch"]
    assert one["selection"] == other["selection"] and one["warnings"] == other["warnings"]
    for a, b in zip(one["epochs"], other["epochs"], strict=True):
        assert a["examples"] == b["examples"] == 900
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["validation_auc"] == pytest.approx(b["validation_auc"], abs=1e-3)
    expected = _scores(theirs, raw_examples)
    for task, scores in _scores(ours, raw_examples).items():
        np.testing.assert_allclose(scores, expected[task], atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_two_workers_train_as_one_does(by_pair, by_one, case, raw_examples):
    _assert_same(by_pair[case], by_one[case], raw_examples)
    resumed = _history(by_pair[case])["resumed_from_step"] is not None
    why = "it was not before the interruption" if resumed else "not on every worker"
    assert _history(by_pair[case])["notes"] == [
        f"Split {split} would fit into memory, but is not kept ({why})."
        for split in ("train", "validation")
    ]
    assert _history(by_pair[case])["devices"] == ["worker 0 CPU:0", "worker 1 CPU:0"]
    assert not os.listdir(by_pair[case]["custom_config"]["checkpoint_root"])


def test_a_killed_pair_goes_on_from_its_checkpoint(by_pair):
    """To the model of an uninterrupted training, as the test above says of the first case."""
    resumed = {case: _history(job)["resumed_from_step"] for case, job in by_pair.items()}
    assert resumed == {"lazy_adam": 30, "sharded": None, "meta": None}


def test_boosting_refuses_several_machines(fn_args, tmp_path, monkeypatch):
    from mtlx.trainer.run_fn import run_fn

    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    model = json.dumps({"network": "lightgbm", "sequence_encoder": "none"})
    with pytest.raises(ValueError, match="'gradient_boosting' runs on one machine, not on 2"):
        run_fn(fn_args(tmp_path, model=model))
