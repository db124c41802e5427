"""Reads from a finished transform what a model must know of its inputs."""

from collections.abc import Callable

import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import vocabulary_name
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInput,
    ModelInputs,
    MultipleInput,
    NumericInput,
    SequenceInput,
    VectorInput,
)


def build_model_inputs(contract: DataContract, transformed: tft.TFTransformOutput) -> ModelInputs:
    """Combines the data contract with the sizes of the vocabularies.

    Args:
        contract: the data contract.
        transformed: output of the Transform run with this contract.

    Returns:
        The record that models are built from.

    Raises:
        ValueError: the transform holds no vocabulary of a feature: it is of another contract.
    """
    return model_inputs(
        contract, lambda name: transformed.vocabulary_size_by_name(vocabulary_name(name))
    )


def model_inputs(contract: DataContract, vocabulary_size: Callable[[str], int]) -> ModelInputs:
    """The record for vocabularies of given sizes.

    Args:
        contract: the data contract.
        vocabulary_size: number of values in the vocabulary of a feature.
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
        tasks=contract.task_specs,
        multiple=tuple(field for field in found if isinstance(field, MultipleInput)),
        vectors=tuple(field for field in found if isinstance(field, VectorInput)),
    )
