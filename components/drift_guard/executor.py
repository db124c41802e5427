"""Runs the comparison of `DriftGuard`."""

from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from mtlx.components.drift_guard.compare import compare
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.drift_guard.drift_result import Comparison, Drift
from mtlx.components.drift_guard.known_rates import unknown_note, with_known_labels
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.components.log_example_gen.spans.span_marks import many_words
from mtlx.transform.contract.contract_property import contract_of

Artifacts = dict[str, list[types.Artifact]]


class DataDriftError(ValueError):
    """The data moved further than the experiment allows; the message lists what moved."""

    def __init__(self, drift: Drift):
        lines = [f"the data moved in {len(drift.beyond)} places:"]
        for comparison in drift.comparisons:
            lines += [f"  {comparison.words}: {found.words}" for found in comparison.beyond]
        lines.append(
            "Look into the logs of the newest rows. If they are right, raise the thresholds of "
            "what may move (drift.thresholds, drift.features), or go on once: --set "
            "drift.on_drift=warn"
        )
        super().__init__("\n".join(lines))


class Executor(base_executor.BaseExecutor):
    """Writes what moved; raises where it is too much and the experiment says so."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Compares.

        Args:
            input_dict: ``statistics``, ``baseline_statistics``.
            output_dict: ``drift``.
            exec_properties: see `DriftGuard`.

        Raises:
            DataDriftError: something moved beyond its threshold, and `on_drift` is ``stop``.
        """
        settings = DriftSettings.from_json(exec_properties["drift_settings"])
        drift = _drift(input_dict, exec_properties, settings)
        drift.save(artifact_utils.get_single_uri(output_dict["drift"]))
        for line in drift.lines():
            logging.info("%s", line)
        if drift.beyond and settings.on_drift == "stop":
            raise DataDriftError(drift)


def _drift(
    input_dict: Artifacts, exec_properties: dict[str, Any], settings: DriftSettings
) -> Drift:
    newest, before = input_dict["statistics"], input_dict["baseline_statistics"]
    splits = exec_properties["split"], exec_properties["baseline_split"]
    dates, contract = bool(exec_properties["dates"]), contract_of(exec_properties)
    late = contract.has_late_labels
    last = max((span_of(one) or 0 for one in newest), default=0) if late else 0
    pairs = [(newest, before)]
    if len(before) > 1:
        pairs.append((newest[-1:], [*before, *newest[:-1]][-1:]))
    comparisons: list[Comparison] = []
    for new, old in pairs:
        described = [
            DescribedRows.load(artifacts, [split] if split else [])
            for artifacts, split in zip((new, old), splits, strict=True)
        ]
        sides = [side for side in described if side is not None]
        if len(sides) < len(described):
            uncounted = (
                "Drift was not measured: the statistics hold no counts of values, since an "
                "earlier version wrote them; they will from the next span on, or at once with "
                "--set run.cache=false"
            )
            return Drift((), (uncounted,))
        if late:
            sides = [
                with_known_labels(side, artifacts, contract, last)
                for side, artifacts in zip(sides, (new, old), strict=True)
            ]
        comparisons.append(
            compare(
                (_words(new, splits[0], dates), sides[0]),
                (_words(old, splits[1], dates), sides[1]),
                contract,
                settings,
                exec_properties["kept_apart"],
            )
        )
    note = unknown_note([*before, *newest], contract, last, dates) if late else None
    return Drift(tuple(comparisons), () if note is None else (note,))


def _words(artifacts: list[types.Artifact], split: str, dates: bool) -> str:
    """What to call the rows behind statistics."""
    if split:
        return f"split {split}"
    spans = [artifact.span for artifact in artifacts]
    return f"span{'s' if len(spans) > 1 else ''} {many_words(spans, dates)}"
