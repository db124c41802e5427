"""From raw features to what a model is given: one file, and one line here, for every kind."""

from collections.abc import Callable

import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import (
    CategoricalFeature,
    FeatureKind,
    MultipleFeature,
    NumericFeature,
    SequenceFeature,
    VectorFeature,
    WeightsFeature,
)
from mtlx.transform.fields.category import category
from mtlx.transform.fields.multiple import multiple
from mtlx.transform.fields.number import number
from mtlx.transform.fields.sequence import sequence
from mtlx.transform.fields.vector import vector

#: Raw features, a feature's name, the contract and the analysis to the model's inputs by name.
Fields = Callable[[Inputs, str, DataContract, Analysis], dict[str, tf.Tensor]]

FIELDS: dict[type[FeatureKind], Fields] = {
    CategoricalFeature: category,
    NumericFeature: number,
    SequenceFeature: sequence,
    MultipleFeature: multiple,
    VectorFeature: vector,
    WeightsFeature: lambda *_: {},  # They come with the values that they are of.
}
