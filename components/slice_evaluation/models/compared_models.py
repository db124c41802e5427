"""The models of an evaluation: those that are scored, and those that cannot be compared."""

import os
from dataclasses import dataclass

import tensorflow as tf
from absl import logging
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import path_utils

from mtlx.components.slice_evaluation.models.comparability import Incomparable, find_differences
from mtlx.components.slice_evaluation.models.held_features import (
    first_examples,
    held_features,
    without_values,
)
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    BASELINE,
    CANDIDATE,
    REFERENCE,
)
from mtlx.transform.contract.data_contract import DataContract

Artifacts = dict[str, list[types.Artifact]]


@dataclass(frozen=True)
class ComparedModels:
    """Models by name, the candidate first.

    Attributes:
        scored: models that are asked for predictions.
        incomparable: by model and task why it is not compared; a model that is compared in no
            task is not among `scored`.
    """

    scored: dict[str, ServedModel]
    incomparable: dict[str, dict[str, str]]

    @classmethod
    def find(
        cls, input_dict: Artifacts, contract: DataContract, files: list[str]
    ) -> "ComparedModels":
        """Loads every model once here, and finds out whether it can be compared.

        Args:
            input_dict: of the component.
            contract: of the run.
            files: of the evaluated split.

        Raises:
            ValueError: the candidate cannot be loaded, or does not serve every task.
        """
        tasks = tuple(contract.tasks)
        found = cls({CANDIDATE: _served(CANDIDATE, input_dict, tasks, contract)}, {})
        found.scored[CANDIDATE].load()
        others = [name for name in (BASELINE, REFERENCE, ANCHOR) if input_dict.get(name)]
        examples = first_examples(files) if others else []
        for name in others:
            model, reasons = _compare(name, input_dict, contract, examples, files)
            if model is not None:
                found.scored[name] = model
            if reasons:
                found.incomparable[name] = reasons
                for task, reason in reasons.items():
                    logging.warning("The %s is not compared in %s: it %s", name, task, reason)
        return found


def _compare(
    name: str,
    input_dict: Artifacts,
    contract: DataContract,
    examples: list[bytes],
    files: list[str],
) -> tuple[ServedModel | None, dict[str, str]]:
    """The model with the tasks in which it is compared, or None; and why not in the others."""
    tasks = tuple(contract.tasks)
    try:
        model = _served(name, input_dict, (), contract)
        reads = model.reads()
        empty = without_values(contract, reads.features, examples, files)
        held = held_features(contract, examples)
        differences = find_differences(reads, held, contract, empty)
        reasons = differences.reasons(tasks)
        compared = tuple(task for task in tasks if task not in reasons)
        if not compared:
            return None, reasons
        model = ServedModel(name, model.path, compared, model.regressions)
        # Of models from elsewhere not all can be known beforehand: they are tried.
        model.predict(examples)
    except ValueError as error:
        reason = " ".join(str(error).split())
        return None, Incomparable([f"cannot be asked: {reason}"]).reasons(tasks)
    return model, reasons


def _served(
    name: str, input_dict: Artifacts, tasks: tuple[str, ...], contract: DataContract
) -> ServedModel:
    artifact = artifact_utils.get_single_instance(input_dict[name])
    return ServedModel(name, _saved_model(artifact), tasks, contract.regressions)


def _saved_model(artifact: types.Artifact) -> str:
    """Folder of the SavedModel: inside a Trainer's artifact, or an imported one itself."""
    if tf.io.gfile.exists(os.path.join(artifact.uri, "saved_model.pb")):
        return artifact.uri
    return path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact))
