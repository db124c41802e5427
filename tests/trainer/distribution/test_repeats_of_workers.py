"""Two real processes train from three seeds as one process does."""

import json
import os
import types

import numpy as np

from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from mtlx.trainer.run_fn import run_fn
from tests.trainer.conftest import encode
from tests.trainer.distribution.test_worker_group import _finish, _jobs, _start_pair

CASE = {"repeats": {"repeats": 3, "epochs": 1, "batch_size": 300}}


def test_two_workers_train_all_seeds_as_one_does(fn_args, tmp_path, logs):
    import tensorflow as tf

    jobs = {}
    for name in ("pair", "one"):
        (jobs[name],) = _jobs(fn_args, tmp_path / name, CASE).values()
    processes = _start_pair([jobs["pair"]])
    outputs = _finish(processes)
    for process, (out, err) in zip(processes, outputs, strict=True):
        assert process.returncode == 0 and "done" in out, err[-3000:]
    run_fn(types.SimpleNamespace(**jobs["one"]), memory=lambda: 10_000)
    records = [RepeatsRecord.beside(job["serving_model_dir"]) for job in jobs.values()]
    assert records[0].exported == records[1].exported
    np.testing.assert_allclose(*[record.values for record in records], atol=1e-3)
    assert not os.listdir(jobs["pair"]["custom_config"]["checkpoint_root"])
    rows = tf.constant([encode(row) for row in logs.rows["validation"]])
    for seed in records[0].seeds:
        ours, theirs = (
            tf.saved_model.load(record.folders(job["serving_model_dir"])[seed])
            .signatures["serving_default"](rows)["ctr"]
            .numpy()
            for record, job in zip(records, jobs.values(), strict=True)
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    with open(os.path.join(jobs["pair"]["model_run_dir"], "history.json")) as file:
        assert json.load(file)["devices"] == ["worker 0 CPU:0", "worker 1 CPU:0"]
