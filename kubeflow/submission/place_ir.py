"""Brings the compiled TFX pipeline to where the cluster's tasks read it."""

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtlx.kubeflow.package.compiler import Package


class IrNotPlaced(RuntimeError):
    """The pipeline root cannot be written from here; the message says what to copy where."""


def place_ir(package: "Package", compiled: str) -> bool:
    """Copies the IR to ``<pipeline_root>/ir/<digest>.pb``, where it is not there yet.

    Args:
        package: whose pipeline root is a URI that TensorFlow can write, or a folder of a volume
            that is mounted here as well.
        compiled: the file to copy by hand where this fails.

    Returns:
        Whether it was copied now.

    Raises:
        IrNotPlaced: the pipeline root cannot be written from here.
    """
    import tensorflow as tf

    path, pipeline_root = package.ir_path, package.pipeline_root
    by_hand = (
        f"Copy it yourself, then submit again with --ir-in-place:\n  from {compiled}\n  to   {path}"
    )
    if "://" not in pipeline_root and not _is_here(pipeline_root):
        raise IrNotPlaced(
            f"The compiled TFX pipeline has to lie in the pipeline root, but {pipeline_root} is "
            f"no folder of this machine. {by_hand}"
        )
    try:
        if _holds(path, package.ir_digest):
            return False
        tf.io.gfile.makedirs(os.path.dirname(path))
        temporary = f"{path}.new"
        with tf.io.gfile.GFile(temporary, "wb") as file:
            file.write(package.ir)
        tf.io.gfile.rename(temporary, path, overwrite=True)
    except (tf.errors.OpError, OSError) as error:
        raise IrNotPlaced(
            f"The compiled TFX pipeline has to lie in the pipeline root, but {path} cannot be "
            f"written from here ({error}). {by_hand}"
        ) from error
    return True


def _is_here(folder: str) -> bool:
    """Whether a folder exists, or a volume is mounted here in which it is to be made.

    A folder that only lacks its parents is none of this machine's: it is the cluster's.
    """
    if os.path.isdir(folder):
        return True
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder != "/" and os.path.ismount(folder)


def _holds(path: str, digest: str) -> bool:
    """Whether the file is there and whole."""
    import tensorflow as tf

    if not tf.io.gfile.exists(path):
        return False
    with tf.io.gfile.GFile(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest() == digest
