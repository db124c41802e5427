"""The whole check on small models: the sound one passes, each planted fault is named."""

import subprocess
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2
from tfx.types import standard_artifacts

from mtlx.components.model_pusher.executor import Executor as PusherExecutor
from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.serving_check.infra_blessing import model_with_warm_up
from mtlx.components.serving_check.process import serving_run
from mtlx.components.serving_check.process.isolated_python import isolated_python
from mtlx.components.serving_check.warm_up import WARM_UP_FILE


def _requests(folder):
    """The warm-up requests of a model, as TensorFlow Serving reads them."""
    records = tf.data.TFRecordDataset(str(Path(folder) / WARM_UP_FILE)).as_numpy_iterator()
    return [
        prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        for record in records
    ]


def test_the_forked_process_is_as_shut_off_as_a_started_one(tmp_path):
    """Or the tests below would pass models that need what no server has."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "for name in ('mtlx', 'tfx', 'keras', 'tensorflow', 'numpy'):\n"
        "    try:\n"
        "        __import__(name)\n"
        "    except ModuleNotFoundError:\n"
        "        print(name, end=' ')\n"
        "print(sys.argv[1:], os.environ['TOLD'], os.getcwd())\n"
        "sys.exit(3)\n"
    )
    with open(tmp_path / "said", "w+") as said:
        process = serving_run.subprocess.Popen(
            isolated_python(str(script), "one", "two"), stdin=subprocess.DEVNULL, stdout=said,
            stderr=said, env={"TOLD": "it"}, cwd=str(tmp_path),
        )  # fmt: skip
        assert process.wait(60) == 3
        said.seek(0)
        assert said.read() == f"mtlx tfx keras ['one', 'two'] it {tmp_path}\n"


def test_a_sound_model_passes_and_is_pushed_with_requests_that_can_be_replayed(check, tmp_path):
    done = check(served="sound", latency=[{"rows": 20, "ratio": 50.0}], warm_up_rows=5)
    outcome = done.outcome
    assert outcome.problems == []
    assert outcome.blessed and outcome.checked
    subjects = [finding.subject for finding in outcome.findings]
    assert subjects == ["process", *["predictions"] * 3, "latency", "requests"]
    assert "serving_columns gives for 40 rows what was evaluated" in outcome.findings[2].message
    request = "serving_request gives for the items of all rows, beside the request of 3 of them,"
    assert outcome.findings[3].message.startswith(request)
    assert [latency.rows for latency in outcome.latencies] == [1, 20]
    for latency in outcome.latencies:
        assert 0 < latency.p50 <= latency.p99 and 0 < latency.served_p50 <= latency.served_p99
    # The model that was checked stays as it is; the copy has the requests.
    copy = model_with_warm_up(done.artifact)
    assert not Path(done.model, WARM_UP_FILE).exists()
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed")
    inputs = {
        "model": done.inputs["model"],
        "model_blessing": done.inputs["blessing"],
        "infra_blessing": [done.artifact],
    }
    base = tmp_path / "serving"
    destination = f'{{"filesystem": {{"base_directory": "{base}"}}}}'
    PusherExecutor().Do(inputs, {"pushed_model": [pushed]}, {"push_destination": destination})
    assert model_digest(str(base / "1")) == model_digest(copy)
    assert PushRecord.load(str(base / "1")).digest == model_digest(copy) != model_digest(done.model)
    # Replayed on what was pushed, each gives one number a row.
    signatures = tf.saved_model.load(str(base / "1")).signatures
    requests = _requests(base / "1")
    assert outcome.warm_up_requests == len(requests) == 6
    sizes = []
    for request in requests:
        inputs = {name: tf.constant(tf.make_ndarray(x)) for name, x in request.inputs.items()}
        (scores,) = signatures[request.model_spec.signature_name](**inputs).values()
        assert np.isfinite(scores).all()
        sizes.append((request.model_spec.signature_name, len(scores)))
        for example in request.inputs["examples"].string_val:
            assert b"clicked" not in example  # a caller knows no label
    assert sorted(sizes) == sorted(
        (f"serving_{name}", rows) for name in ("default", "columns", "request") for rows in (1, 5)
    )


def test_faults_of_the_export_are_found_and_nothing_is_made_of_the_model(check):
    """One takes prices for their opposites, one the request for its first item's; all loop for
    nothing, and pass infinity on.
    """
    faults = "swapped first slow infinite"
    done = check(faults, served="sound", latency=[{"rows": 1, "ratio": 3.0}])
    different, first, slow, infinite = done.outcome.problems
    assert different.startswith("serving_columns differs from what was evaluated in ")
    assert "of 40 rows by more than 1e-05: click of row " in different
    assert first.startswith("serving_request differs from what serving_columns gives in ")
    assert slow.startswith("p50 of 1 rows takes ") and slow.endswith("allowed are 3 times")
    assert " hostile requests are answered wrongly: " in infinite
    assert "inf for every number: no number (click: not every row has a finite" in infinite
    assert model_with_warm_up(done.artifact) is None and done.outcome.warm_up_requests == 0


def _needs_an_operation_of_tfx(folder):
    path = folder / "saved_model.pb"
    known, other = b"StringToHashBucketFast", b"DecodeProtoSparseV9000"
    assert len(known) == len(other) and known in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(known, other))
    (folder / "fingerprint.pb").unlink()


def test_a_model_with_an_operation_that_tensorflow_has_not_is_refused(check):
    (problem,) = check(damage=_needs_an_operation_of_tfx).outcome.problems
    assert problem.startswith("TensorFlow alone cannot load the model: ")
    assert "DecodeProtoSparseV9000" in problem


def test_a_request_that_kills_the_process_is_named(check):
    problems = check("unguarded").outcome.problems
    # What the process said last may stand behind it.
    assert problems[0].startswith(
        "serving the model, the process was killed by SIGSEGV while serving_default is sent an "
        "example with a text that tells a length of 2 GiB among 9 good ones"
    )


def test_a_request_that_hangs_is_named(check):
    # Rows without an item are not among those that are scored.
    problems = check("hangs", rows=3, timeout_seconds=8.0).outcome.problems
    assert problems[0].startswith("serving the model, the process said nothing for 8 s while ")
    assert "is sent an empty text among 9 good ones" in problems[0]


def test_a_model_that_calls_our_code_is_refused(check, monkeypatch):
    from mtlx.components.serving_check import executor

    monkeypatch.setattr(executor, "_rows", lambda *_: (toy_rows(), None))
    problems = check("python").outcome.problems
    assert problems[0].startswith("the model calls Python (EagerPyFunc), which no server has")
    assert problems[1].startswith("serving_default refuses rows that were evaluated")


def toy_rows():
    from tests.components.serving_check import toy_models

    return toy_models.rows(3)


def test_a_served_model_that_cannot_be_asked_leaves_a_ratio_undecided(check):
    """It is loaded in a thread, beside the first calls of the model on trial."""
    done = check(served="python", latency=[{"rows": 20, "ratio": 50.0}])
    (problem,) = done.outcome.problems
    assert "cannot be compared with the served model, which cannot be asked" in problem
    assert [latency.served_p50 for latency in done.outcome.latencies] == [None, None]


def test_what_the_gate_holds_back_is_not_served(check):
    done = check(blessed=0)
    assert not done.outcome.blessed and not done.outcome.checked
    assert done.artifact.get_int_custom_property("checked") == 0
    assert done.outcome.seconds == 0
