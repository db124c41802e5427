"""The metrics that an experiment names: ``ndcg@10`` is NDCG with a cut-off of 10."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mtlx.components.slice_evaluation.metrics import METRICS
from mtlx.components.slice_evaluation.metrics.metric import Metric, RowMetric, UnitMetric
from mtlx.components.slice_evaluation.metrics.xauc import Xauc

_NAME = re.compile(r"(?P<name>[^@]*)(@(?P<cutoff>[0-9]+))?")
#: Measured beside the AUC, whatever else is: what the gate's own rules and every table need.
ALWAYS = ("log_loss", "calibration")
#: Metrics in which the candidate is compared relative to chance, too: those with 0.5 as chance.
RELATIVE_TO_CHANCE = ("auc", "gauc", "gauc_equal")


def build_metric(name: str) -> Metric:
    """Builds a metric by its name in `evaluation.metrics`.

    Raises:
        SettingsError: no metric has this name.
        ValueError: it takes no cut-off, or the cut-off is not 1 or more.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r}: a cut-off is written as ndcg@10")
    base, cutoff = found["name"], found["cutoff"]
    member = METRICS.get(base)
    if cutoff is None:
        return member()
    if not member.takes_cutoff:
        raise ValueError(f"{base!r} takes no cut-off: write {base!r} for {name!r}")
    if int(cutoff) < 1:
        raise ValueError(f"{name!r}: a cut-off is 1 or more")
    return member(cutoff=int(cutoff))


def metric_title(name: str) -> str:
    """What people call a metric by its name: ``NDCG@10``."""
    _, _, cutoff = name.partition("@")
    return build_metric(name).title + (f"@{cutoff}" if cutoff else "")


class ChosenMetrics:
    """All that are measured, by name and by how they are computed.

    Args:
        names: as in `evaluation.metrics`.

    Attributes:
        all: by name, those that are always measured first (`ALWAYS`), then in the given order.
    """

    def __init__(self, names: Iterable[str] = ()):
        chosen = dict.fromkeys((*ALWAYS, *names))
        self.all: dict[str, Metric] = {name: build_metric(name) for name in chosen}

    @property
    def of_rows(self) -> dict[str, RowMetric]:
        """Those whose value follows from sums over rows."""
        return {name: one for name, one in self.all.items() if isinstance(one, RowMetric)}

    def of_units(self, regressions: bool) -> dict[str, Metric]:
        """Those for which rows have to come together.

        Args:
            regressions: whether a task is one; of the others XAUC is the AUC.
        """
        return {
            name: one
            for name, one in self.all.items()
            if isinstance(one, UnitMetric) or (isinstance(one, Xauc) and regressions)
        }

    @property
    def of_ranks(self) -> dict[str, Metric]:
        """Those that are the AUC, of tasks with two classes."""
        return {name: one for name, one in self.all.items() if isinstance(one, Xauc)}


def needed_keys(names: Iterable[str]) -> Mapping[str, str]:
    """The settings that metrics need: by setting the first metric that needs it.

    Args:
        names: as in `evaluation.metrics`.
    """
    needed: dict[str, str] = {}
    settings: dict[Any, str] = {"user": "user_key", "request": "request_key"}
    for name in names:
        metric = build_metric(name)
        if isinstance(metric, UnitMetric):
            needed.setdefault(settings[metric.unit], name)
    return needed
