"""Which failures of the libraries are tried again."""

import errno

import grpc
import pytest
import tensorflow as tf
import urllib3
from kubernetes.client.exceptions import ApiException
from ml_metadata import errors

from mtlx.kubeflow.task.metadata_connection import MetadataConnectionError, MetadataUnreachable
from mtlx.kubeflow.task.transient_failure import transient_reason


class Call(grpc.RpcError):
    """A failed call, as gRPC's own classes have it."""

    def __init__(self, state):
        self.state = state

    def code(self):
        return self.state


BEAM = "Traceback (most recent call last):\n  File 'a.py', line 1\n{} [while running 'Read']\n"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        OSError(errno.ESTALE, "Stale file handle"),
        OSError(errno.EIO, "Input/output error"),
        TimeoutError("late"),
        urllib3.exceptions.ReadTimeoutError(None, "http://x", "late"),
        ApiException(status=503, reason="away"),
        ApiException(status=429, reason="too many"),
        Call(grpc.StatusCode.UNAVAILABLE),
        errors.UnavailableError("failed to connect to all addresses"),
        errors.InternalError("mysql_query failed: errno: 2013, error: Lost connection"),
        tf.errors.UnavailableError(None, None, "storage answers 503"),
        tf.errors.UnknownError(None, None, "/mnt/pipeline/x; Stale file handle"),
        MetadataUnreachable("did not answer"),
        RuntimeError(BEAM.format("ConnectionRefusedError: [Errno 111]")),
        RuntimeError(BEAM.format("tensorflow.errors_impl.UnavailableError: 503")),
        RuntimeError(BEAM.format(f"OSError: [Errno {errno.ESTALE}] Stale file handle")),
    ],
    ids=repr,
)
def test_what_passes(error):
    assert transient_reason(error).startswith(type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the settings are wrong: Connection reset by peer"),
        OSError(errno.ENOSPC, "No space left on device"),
        FileNotFoundError(errno.ENOENT, "nothing there"),
        PermissionError(errno.EACCES, "not yours"),
        MemoryError(),
        ApiException(status=403, reason="forbidden"),
        Call(grpc.StatusCode.PERMISSION_DENIED),
        errors.NotFoundError("no such type"),
        errors.InternalError("mysql_query failed: errno: 1045, error: Access denied"),
        tf.errors.ResourceExhaustedError(None, None, "out of memory on the device"),
        tf.errors.NotFoundError(None, None, "no such object"),
        MetadataConnectionError("set exactly one of"),
        RuntimeError(BEAM.format("ValueError: 'UnavailableError' is no number")),
        RuntimeError(BEAM.format(f"OSError: [Errno {errno.ENOSPC}] No space left on device")),
    ],
    ids=repr,
)
def test_what_stays(error):
    assert transient_reason(error) is None


def test_the_error_behind_an_error_counts_and_what_was_handled_does_not():
    outer = RuntimeError("can't be read")
    outer.__cause__ = tf.errors.UnavailableError(None, None, "storage answers 503\nand more")
    assert transient_reason(outer) == "UnavailableError: storage answers 503"
    try:
        try:
            raise ConnectionResetError
        except ConnectionResetError:
            raise ValueError("other") from None
    except ValueError as error:
        assert transient_reason(error) is None
    circle = ValueError("a")
    circle.__cause__ = circle
    assert transient_reason(circle) is None
