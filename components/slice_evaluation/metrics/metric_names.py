"""The names of metrics in an experiment file: ``ndcg@10`` is NDCG with a cut-off of 10."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mtlx.components.slice_evaluation.metrics import METRICS
from mtlx.transform.config.names import suggest

if TYPE_CHECKING:  # Settings are validated with the names, which has to stay fast.
    from mtlx.components.slice_evaluation.metrics.metric import Metric

#: Measured whatever else is: what the gate's own rules and every table need.
ALWAYS = ("auc", "log_loss", "calibration")
#: Metrics in which models are compared relative to chance, too: those with 0.5 as chance.
RELATIVE_TO_CHANCE = ("auc", "gauc", "gauc_equal")

_NAME = re.compile(r"(?P<name>[^@]*)(@(?P<cutoff>[0-9]+))?")
#: The setting that says which rows come together to a unit.
_KEYS = {"user": "user_key", "request": "request_key"}


def build_metric(name: str) -> "Metric":
    """Builds a metric by its name in `evaluation.metrics`.

    Raises:
        ValueError: no metric has this name, it takes no cut-off, or that is not 1 or more.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r}: a cut-off is written as ndcg@10")
    base, cutoff = found["name"], found["cutoff"]
    if base not in METRICS:
        raise ValueError(f"unknown metric {name!r}, {suggest(base, METRICS)}")
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


def applies_to(name: str, regression: bool) -> bool:
    """Whether a metric is defined of a task whose labels are numbers, or of one with 0 and 1."""
    metric = build_metric(name)
    return metric.regression if regression else metric.binary


def needed_keys(names: Iterable[str]) -> dict[str, str]:
    """The settings that metrics need: by setting the first metric that needs it.

    Args:
        names: as in `evaluation.metrics`.
    """
    needed: dict[str, str] = {}
    for name in names:
        unit = getattr(build_metric(name), "unit", None)
        if unit is not None:
            needed.setdefault(_KEYS[unit], name)
    return needed
