"""The compiled TFX pipeline (IR) that the tasks of a package share, read by its digest."""

import hashlib

import tensorflow as tf
from google.protobuf.message import DecodeError
from tfx.proto.orchestration import pipeline_pb2


class CompiledPipelineError(ValueError):
    """The file can't be read, or is not the one that the package was compiled with."""


def read_compiled_pipeline(path: str, digest: str) -> pipeline_pb2.Pipeline:
    """Reads a compiled pipeline.

    Args:
        path: file or URI that TensorFlow can open.
        digest: SHA-256 of the file's bytes, in hexadecimal.

    Raises:
        CompiledPipelineError: the file is missing, other, or no pipeline.
    """
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            content = file.read()
    except tf.errors.OpError as error:
        raise CompiledPipelineError(
            f"--ir_path {path}: can't be read: {error.message}. It lies in the folder 'ir' beside "
            "the compiled package: copy it to this place, or mount the volume that holds it"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise CompiledPipelineError(
            f"--ir_path {path}: its SHA-256 is {found}, but the package was compiled with "
            f"--ir_digest {digest}: copy the file of this package there"
        )
    try:
        return pipeline_pb2.Pipeline.FromString(content)
    except DecodeError as error:
        raise CompiledPipelineError(
            f"--ir_path {path}: no compiled TFX pipeline: {error}"
        ) from error
