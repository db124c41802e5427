"""Features that a served model does without: rows without them, and what the report says."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from mtlx.trainer.examples.input import Rows
from mtlx.transform.analysis.transform_layer import transform_layer
from mtlx.transform.columns.served_alike import served_alike
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import WeightsFeature
from mtlx.transform.contract.model_inputs import ModelInputs


class RowsAsServed:
    """Puts into transformed rows, for what is known only when training, what is served.

    A model is chosen by what it will say of requests: of an epoch that leans on the position, the
    position of validation rows would tell too much.

    Args:
        columns: by name of a transformed column its one row, ``(1, ...)``.
        crosses: by name of a transformed column the one that holds it as it is served.
    """

    def __init__(self, columns: Mapping[str, tf.Tensor], crosses: Mapping[str, str]) -> None:
        self.columns, self.crosses = dict(columns), dict(crosses)

    @classmethod
    def of(
        cls, contract: DataContract, transformed: tft.TFTransformOutput, inputs: ModelInputs
    ) -> "RowsAsServed | None":
        """What the transform graph makes of what the export puts into it.

        Args:
            contract: the data contract.
            transformed: the transform that is trained on.
            inputs: what the model reads.

        Returns:
            None where a served model is given all that is trained on.

        Raises:
            ValueError: the transform is of a release that does not keep crosses as served.
        """
        if not contract.training_only:
            return None
        fixed = served_alike(contract, transformed.raw_feature_spec(), tf.constant(1, tf.int64))
        # It computes what depends on these features alone.
        found = transform_layer(transformed)(fixed)
        columns = {name: found[name] for name in inputs.keys if name in found}
        served = set(contract.served.crosses)
        crosses = {
            name: contract.served_cross(name)
            for name in contract.crosses
            if name not in served and name not in columns
        }
        missing = set(crosses.values()) - set(transformed.transformed_feature_spec())
        if missing:
            raise ValueError(
                f"the transform's output lacks {min(missing)!r}, which validation needs: it was "
                "made by an earlier release; run it anew (run.cache: false)"
            )
        return cls(columns, crosses)

    def __call__(self, rows: Rows) -> dict[str, tf.Tensor]:
        """Rows ``(B, ...)`` by column, some replaced."""
        number = tf.shape(next(iter(rows.values())))[0]
        fixed = {name: tf.repeat(one, number, axis=0) for name, one in self.columns.items()}
        return {**rows, **fixed, **{name: rows[other] for name, other in self.crosses.items()}}


def training_only_notes(contract: DataContract) -> list[str]:
    """One line that names them, and how each is served; none where there are no such features.

    Args:
        contract: the data contract.
    """
    named = []
    for name in contract.training_only:
        feature = contract.features[name]
        if not isinstance(feature, WeightsFeature):
            value = getattr(feature, "serve_as", None)
            shown = f"{value:g}" if isinstance(value, float) else value
            as_what = "as missing" if value is None else f"as {shown}"
            named.append(f"{name} ({as_what})")
    if not named:
        return []
    return [
        "Known only when training, and served to all rows alike: "
        f"{', '.join(named)}. A request need not have them, and epochs are compared without them."
    ]
