"""Reads from a finished transform what a model must know of its inputs."""

from collections.abc import Callable

import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import vocabulary_name
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature, SequenceFeature
from mtlx.transform.contract.model_inputs import (
    FIRST_VALUE_ID,
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    SequencePart,
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
        tasks=contract.task_specs,
    )


def _sequence(name: str, feature: SequenceFeature, contract: DataContract) -> SequenceInput:
    parts = [SequencePart(part, contract.sequence(part).item) for part in contract.parts(name)[1:]]
    return SequenceInput(name, feature.item, feature.max_length, tuple(parts))


def _cardinality(
    name: str, feature: CategoricalFeature, vocabulary_size: Callable[[str], int]
) -> int:
    if feature.hash_buckets is not None:
        return FIRST_VALUE_ID + feature.hash_buckets
    return FIRST_VALUE_ID + vocabulary_size(name)
