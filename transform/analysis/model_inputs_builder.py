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
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature, SequenceFeature
from mtlx.transform.contract.model_inputs import (
    FIRST_VALUE_ID,
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    SequencePart,
    TaskSpec,
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
    categorical, numeric, sequences = [], [], []
    for name, feature in contract.features.items():
        if isinstance(feature, CategoricalFeature):
            if feature.embed:
                categorical.append(
                    CategoricalInput(name, _cardinality(name, feature, vocabulary_size))
                )
        elif isinstance(feature, SequenceFeature):
            if feature.beside is None:
                sequences.append(_sequence(name, feature, contract))
        elif isinstance(feature, NumericFeature):
            for field, transform in feature.fields(name).items():
                if transform == "quantile_buckets":
                    categorical.append(CategoricalInput(field, FIRST_VALUE_ID + feature.buckets))
                else:
                    numeric.append(NumericInput(field))
    return ModelInputs(
        categorical=tuple(categorical),
        numeric=tuple(numeric),
        sequences=tuple(sequences),
        target_item=contract.target_item,
        domains=contract.domains,
        tasks=tuple(_measured(task, numbers or {}) for task in contract.task_specs),
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


def _sequence(name: str, feature: SequenceFeature, contract: DataContract) -> SequenceInput:
    parts = [SequencePart(part, contract.sequence(part).item) for part in contract.parts(name)[1:]]
    return SequenceInput(name, feature.item, feature.max_length, tuple(parts))


def _cardinality(
    name: str, feature: CategoricalFeature, vocabulary_size: Callable[[str], int]
) -> int:
    if feature.hash_buckets is not None:
        return FIRST_VALUE_ID + feature.hash_buckets
    return FIRST_VALUE_ID + vocabulary_size(name)
