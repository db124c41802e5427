"""Brings the compiled TFX pipeline to where the cluster's tasks read it."""

import hashlib
import os


class IrNotPlaced(RuntimeError):
    """The pipeline root cannot be written from here; the message says what to copy where."""


def place_ir(ir: bytes, digest: str, pipeline_root: str, compiled: str) -> tuple[str, bool]:
    """Copies the IR to ``<pipeline_root>/ir/<digest>.pb``, where it is not there yet.

    Args:
        ir: the serialised TFX pipeline.
        digest: its SHA-256, hexadecimal.
        pipeline_root: of the cluster: a URI that TensorFlow can write, or a folder of a volume
            that is mounted here as well.
        compiled: the file to copy by hand where this fails.

    Returns:
        Its path, and whether it was copied now.

    Raises:
        IrNotPlaced: the pipeline root cannot be written from here.
    """
    import tensorflow as tf

    path = f"{pipeline_root.rstrip('/')}/ir/{digest}.pb"
    by_hand = (
        f"Copy it yourself, then submit again with --ir-in-place:\n  from {compiled}\n  to   {path}"
    )
    if "://" not in pipeline_root and not os.path.isdir(pipeline_root):
        raise IrNotPlaced(
            f"The compiled TFX pipeline has to lie in the pipeline root, but {pipeline_root} is "
            f"no folder of this machine. {by_hand}"
        )
    try:
        if _holds(path, digest):
            return path, False
        tf.io.gfile.makedirs(os.path.dirname(path))
        temporary = f"{path}.new"
        with tf.io.gfile.GFile(temporary, "wb") as file:
            file.write(ir)
        tf.io.gfile.rename(temporary, path, overwrite=True)
    except (tf.errors.OpError, OSError) as error:
        raise IrNotPlaced(
            f"The compiled TFX pipeline has to lie in the pipeline root, but {path} cannot be "
            f"written from here ({error}). {by_hand}"
        ) from error
    return path, True


def _holds(path: str, digest: str) -> bool:
    """Whether the file is there and whole."""
    import tensorflow as tf

    if not tf.io.gfile.exists(path):
        return False
    with tf.io.gfile.GFile(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest() == digest
