"""``mtlx.kubeflow.task.training_worker --arguments URI``: one worker of a training job."""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2
#: The other workers are gone. From 128 on the Training Operator starts a worker again; the
#: `TrainingRuntime` of the manifests takes 1 and 2 for the end, and starts all again after others.
EXIT_LOST_WORKERS = 138


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains with the other workers that ``TF_CONFIG`` or the names of a JobSet tell of.

    Args:
        arguments: command-line arguments; those of the process if None.

    Returns:
        0 where the model is exported, 138 where other workers were lost, 2 for wrong arguments,
        1 where the training failed.
    """
    parser = argparse.ArgumentParser(prog="python -m mtlx.kubeflow.task.training_worker")
    parser.add_argument("--arguments", required=True, metavar="URI", help="arguments of run_fn")
    uri = parser.parse_args(arguments).arguments

    os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
    import tensorflow as tf
    from absl import logging

    from mtlx.kubeflow.training_job import jobset_workers
    from mtlx.kubeflow.training_job.arguments import read_arguments
    from mtlx.trainer.distribution.cluster import TF_CONFIG, WrongCluster
    from mtlx.trainer.run_fn import run_fn

    logging.set_verbosity(logging.INFO)
    logging.use_absl_handler()
    try:
        fn_args = read_arguments(uri)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG_INPUT
    try:
        config = jobset_workers.tf_config(os.environ)
        if config is not None:
            os.environ[TF_CONFIG] = config
        run_fn(fn_args)
    except WrongCluster as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG_INPUT
    except tf.errors.OpError as error:
        traceback.print_exc()
        return EXIT_LOST_WORKERS if _lost_workers(error) else EXIT_FAILED
    except Exception:
        traceback.print_exc()
        return EXIT_FAILED
    return EXIT_OK


def _lost_workers(error: Exception) -> bool:
    """Whether an error of TensorFlow's is that the workers can't reach each other."""
    from tensorflow import errors

    lost = (
        errors.UnavailableError,
        errors.AbortedError,
        errors.CancelledError,
        errors.DeadlineExceededError,
    )
    return isinstance(error, lost) or "ollective ops is aborted" in str(error)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow's server may abort the process while it is torn down, after all is done.
    os._exit(code)
