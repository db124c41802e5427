"""Whether TensorFlow rewrites a graph before its first run, as it does for users.

It takes longer than the few steps and batches that a small model takes in most tests.
"""

import contextlib
import sys

#: Before the code of a process, which has TensorFlow's own way else.
AS_TRACED = """
import tensorflow as tf
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
"""


@contextlib.contextmanager
def rewritten(wanted=True):
    """Graphs run as users have them, or else as they were traced."""
    # Who imports it later has TensorFlow's own way, which is right as well.
    if (tensorflow := sys.modules.get("tensorflow")) is None:
        yield
        return
    optimizer = tensorflow.config.optimizer
    before = optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    optimizer.set_experimental_options({"disable_meta_optimizer": not wanted})
    try:
        yield
    finally:
        optimizer.set_experimental_options({"disable_meta_optimizer": before})
