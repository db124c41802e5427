"""Compares described rows with others: all features and labels."""

from collections.abc import Collection

from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.drift_guard.drift_result import Comparison
from mtlx.components.drift_guard.feature_drift import feature_drift
from mtlx.components.drift_guard.label_drift import label_drift
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.transform.contract.data_contract import DataContract


def compare(
    new: tuple[str, DescribedRows],
    before: tuple[str, DescribedRows],
    contract: DataContract,
    settings: DriftSettings,
    kept_apart: str = "",
    left_out: Collection[str] = (),
) -> Comparison:
    """Measures every feature that a model reads, and every label.

    Args:
        new: the newest rows, and what to call them.
        before: the rows before.
        contract: of the run.
        settings: thresholds.
        kept_apart: the feature by whose values rows were split, so that no value is in both.
        left_out: features that are not compared.
    """
    counted = {**before[1].counts.present, **new[1].counts.present}
    features = [
        feature_drift(name, new[1], before[1], contract, settings, name == kept_apart)
        for name in contract.features
        if name in counted and name not in left_out
    ]
    return Comparison(
        new[0],
        before[0],
        new[1].counts.rows,
        before[1].counts.rows,
        tuple(sorted(features, key=lambda one: -one.score)),
        label_drift(new[1], before[1], contract, settings),
    )
