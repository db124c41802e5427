"""The features of a data contract: the kinds that there are.

A kind is one file in `mtlx.transform.contract.kinds` and one line in `Feature`. What has no column
of its own, a cross, is no feature of the log: see `ContractSections.crosses`.
"""

from typing import Annotated, Any

import pydantic

from mtlx.transform.contract.kinds.categorical import CategoricalFeature
from mtlx.transform.contract.kinds.cross import CrossFeature
from mtlx.transform.contract.kinds.ids import IdKind, Vocabulary
from mtlx.transform.contract.kinds.kind import FeatureKind
from mtlx.transform.contract.kinds.multiple import MultipleFeature, WeightsFeature
from mtlx.transform.contract.kinds.numeric import (
    NumericFeature,
    NumericTransform,
    NumericTransforms,
)
from mtlx.transform.contract.kinds.pretrained import Pretrained
from mtlx.transform.contract.kinds.sequence import SequenceFeature
from mtlx.transform.contract.kinds.vector import VectorFeature


def _values_a_row(value: Any) -> str:
    """Whether a categorical feature is meant that has one value a row, or several."""
    found = value.get("multiple") if isinstance(value, dict) else value.multiple
    return "several" if found is True else "one"


#: One value or several, told apart first, so that an error speaks of what was meant.
Categorical = Annotated[
    Annotated[CategoricalFeature, pydantic.Tag("one")]
    | Annotated[MultipleFeature, pydantic.Tag("several")],
    pydantic.Discriminator(_values_a_row),
]

Feature = Annotated[
    Categorical | NumericFeature | SequenceFeature | VectorFeature | WeightsFeature,
    pydantic.Field(discriminator="kind"),
]

__all__ = [
    "Categorical",
    "CategoricalFeature",
    "CrossFeature",
    "Feature",
    "FeatureKind",
    "IdKind",
    "MultipleFeature",
    "NumericFeature",
    "NumericTransform",
    "NumericTransforms",
    "Pretrained",
    "SequenceFeature",
    "VectorFeature",
    "Vocabulary",
    "WeightsFeature",
]
