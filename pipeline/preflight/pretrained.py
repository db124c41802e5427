"""Whether the files of pretrained vectors are what they must be."""

import os

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.trainer.pretrained.vector_table import VectorTable
from mtlx.transform.contract.features import IdKind


def pretrained_problems(experiment: Experiment, must_exist: bool) -> list[str]:
    """What is wrong with the vectors of features; a URI is looked at where the model is trained.

    Args:
        experiment: its paths are absolute.
        must_exist: files that are not there are wrong; else they are not seen from here.

    Returns:
        One sentence per problem, beginning with the key.
    """
    problems = []
    for name, feature in experiment.features.items():
        if not isinstance(feature, IdKind) or feature.pretrained is None:
            continue
        given = feature.pretrained
        if "://" in given.path or not (must_exist or os.path.isfile(given.path)):
            continue
        try:
            with open(given.path, "rb") as file:
                VectorTable.read(file.read(), given.path, given.size, name)
        except OSError as error:
            problems.append(
                f"features.{name}.pretrained.path: {given.path}: {error.strerror}; give a Parquet "
                "file with columns 'value' and 'vector'"
            )
        except ValueError as error:
            problems.append(str(error))
    return problems
