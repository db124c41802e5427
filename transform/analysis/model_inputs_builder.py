"""Reads from a finished transform what a model must know of its inputs."""

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import vocabulary_name
from mtlx.transform.analysis.finished_analysis import kept_numbers, read_numbers
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInput,
    ModelInputs,
    MultipleInput,
    NumericInput,
    SequenceInput,
    TaskSpec,
    VectorInput,
)

#: By name of a feature or label the scalars of an analysis.
Numbers = Mapping[str, Mapping[str, Any]]


def build_model_inputs(contract: DataContract, transformed: tft.TFTransformOutput) -> ModelInputs:
    """Combines the data contract with the sizes of the vocabularies.

    Args:
        contract: the data contract.
        transformed: output of the Transform run with this contract.

    Returns:
        The record that models are built from.

    Raises:
        ValueError: the transform holds no vocabulary of a feature: it is of another contract; or no
            numbers of a regression's labels.
    """
    return model_inputs(
        contract,
        lambda name: transformed.vocabulary_size_by_name(vocabulary_name(name)),
        _numbers(contract, transformed),
    )


def _numbers(contract: DataContract, transformed: tft.TFTransformOutput) -> Numbers:
    """Scalars of the analysis, where a label is a number."""
    if not any(task.is_regression for task in contract.tasks.values()):
        return {}
    graph = os.path.dirname(transformed.transform_savedmodel_dir.rstrip("/"))
    path = kept_numbers(graph)
    if path is None:
        raise ValueError(
            f"{graph} holds no numeric analysis, in which a regression's labels are measured: take "
            "components.transform: one_pass"
        )
    return read_numbers(os.path.dirname(path))


def model_inputs(
    contract: DataContract,
    vocabulary_size: Callable[[str], int],
    numbers: Numbers | None = None,
) -> ModelInputs:
    """The record for vocabularies of given sizes.

    Args:
        contract: the data contract.
        vocabulary_size: number of values in the vocabulary of a feature.
        numbers: scalars of the labels that are numbers, by label; none for mean 0, deviation 1.
    """
    found: list[ModelInput] = []
    for name, feature in contract.features.items():
        found += feature.inputs(name, contract, vocabulary_size)
    found += [cross.input(name) for name, cross in contract.crosses.items()]
    return ModelInputs(
        categorical=tuple(field for field in found if isinstance(field, CategoricalInput)),
        numeric=tuple(field for field in found if isinstance(field, NumericInput)),
        sequences=tuple(field for field in found if isinstance(field, SequenceInput)),
        target_item=contract.target_item,
        domains=contract.domains,
        tasks=tuple(_measured(task, numbers or {}) for task in contract.task_specs),
        multiple=tuple(field for field in found if isinstance(field, MultipleInput)),
        vectors=tuple(field for field in found if isinstance(field, VectorInput)),
    )


def _measured(task: TaskSpec, numbers: Numbers) -> TaskSpec:
    """A task with mean and standard deviation of its numbers, or of their logarithms.

    Those of the logarithms are the normal distribution's whose exponential has the numbers' mean
    and deviation.
    """
    found = numbers.get(task.label)
    if not task.is_regression or found is None:
        return task
    shift, scale = float(found["mean"]), float(found["deviation"])
    if task.loss == "log_normal" and shift > 0:
        variance = math.log1p((scale / shift) ** 2)
        shift, scale = math.log(shift) - variance / 2, math.sqrt(variance)
    return dataclasses.replace(task, shift=shift, scale=scale if scale > 0 else 1.0)
