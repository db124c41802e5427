"""Cleaning, and other commands on the past: every refusal ends with 1 and one line."""

import argparse
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata import errors as store_errors

from mtlx.pipeline.cleaning.folders import Folders
from mtlx.pipeline.commands.at_work import at_work

CONFIG = Path(__file__).parents[3] / "configs/default.yaml"
SAID = "gs://bucket/pipeline/Trainer/model/7: the storage answers so"

#: Errors of TensorFlow's file systems by the HTTP state that a bucket answers with.
ANSWERS = {
    401: tf.errors.UnauthenticatedError,
    403: tf.errors.PermissionDeniedError,
    404: tf.errors.NotFoundError,
    410: tf.errors.NotFoundError,
    409: tf.errors.AlreadyExistsError,
    412: tf.errors.FailedPreconditionError,
    429: tf.errors.ResourceExhaustedError,
    500: tf.errors.InternalError,
    503: tf.errors.UnavailableError,
    504: tf.errors.DeadlineExceededError,
}


@pytest.fixture
def refused_by(capsys):
    """A command that does some work; returns the exit code and what it said."""

    def run(work):
        arguments = argparse.Namespace(
            experiment=str(CONFIG), overrides=[], data=None, cluster=False
        )
        return at_work(arguments, work), capsys.readouterr().err

    return run


@pytest.fixture
def refused(refused_by):
    """A command whose work fails with an error; returns the same."""

    def run(error):
        def work(place):
            raise error

        return refused_by(work)

    return run


@pytest.mark.parametrize("status", ANSWERS)
def test_a_bucket_that_refuses_is_one_line_with_object_and_remedy(refused, status):
    code, said = refused(ANSWERS[status](None, None, f"{SAID}\nand more"))
    assert code == 1 and said.count("\n") == 1
    assert said.startswith(f"files: {SAID} and more: ")
    if status == 403:
        assert "roles/storage.objectUser" in said
    if status in (404, 410):
        assert "run.pipeline_root" in said


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 504])
def test_so_is_one_that_refuses_to_remove_a_folder(refused_by, monkeypatch, status):
    """Which a cleaning does by `Files`, whose errors are those of local files."""

    def refuse(folder):
        raise ANSWERS[status](None, None, f"{folder}: the storage answers so")

    monkeypatch.setattr(tf.io.gfile, "isdir", lambda folder: True)
    monkeypatch.setattr(tf.io.gfile, "rmtree", refuse)
    folders = Folders("gs://bucket/pipeline")
    code, said = refused_by(lambda place: folders.remove("gs://bucket/pipeline/Trainer/model/7"))
    assert code == 1 and said.count("\n") == 1
    assert said.startswith(f"files: {SAID}: ")
    if status == 403:
        assert "roles/storage.objectUser" in said


def test_a_store_that_goes_away_in_between_is_one_line(refused):
    code, said = refused(store_errors.UnavailableError("failed to connect to mtlx-metadata:8080"))
    assert code == 1 and said.count("\n") == 1
    assert "metadata store: failed to connect to mtlx-metadata:8080: it is away" in said


@pytest.mark.parametrize(
    "error", [KeyError("a fault of ours"), tf.errors.DataLossError(None, None, "x")]
)
def test_another_error_is_no_refusal(refused, error):
    with pytest.raises(type(error)):
        refused(error)
