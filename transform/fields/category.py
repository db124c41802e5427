"""A value out of a set."""

import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.fields.ids import ids_of
from mtlx.transform.fields.raw import scalars


def category(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """Ids ``(B,)`` int64; nothing of a column that is not embedded."""
    if not contract.categorical(name).embed:
        return {}
    return {name: ids_of(scalars(inputs[name], ""), name, contract, analysis)}
