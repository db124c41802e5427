"""What the model's gates weigh: per task and per domain, and how much it varies over rows."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, PositiveInt

from mtlx.components.model_insight.figures import Cell, Figure, Note, Row, Table
from mtlx.components.model_insight.insights.insight import Findings, Insight, NotThere

if TYPE_CHECKING:
    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel

#: The slice of all rows; the others are the domains.
OVERALL = "overall"
#: How the outputs of a network begin; its layers import Keras, this module does not.
_GATES, _CONTRIBUTIONS = "gates/", "contributions/"


class Gates(Insight):
    """Gate weights (DTN, Fig. 4), M3oE's fusion weights (its Eqs. 5 to 7), and what to trim.

    Of every expert that a task's gates see: the mean weight over the task's rows, its standard
    deviation over them, and its mean share of what the gate mixes (weight times the size of the
    expert's output). A gate whose weights hardly vary over rows is a constant. Of a network with
    several levels the gates are those of the last.

    Args:
        rows: it looks at so many at most.
        threshold: of a DTN, modules that add less than this to a gate's mix are named, as training
            method ``gate_trim`` would drop them.
    """

    title = "Gates"

    def __init__(
        self,
        *,
        rows: PositiveInt = 20_000,
        threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1,
    ) -> None:
        self.rows, self.threshold = rows, threshold

    def find(
        self, model: "InsightModel", rows: "EvaluatedRows", progress: Callable[[str], None]
    ) -> Findings:
        """See Insight."""
        progress("gate weights")
        fusion = list(_fusion(model))
        if not model.gate_names and not fusion:
            raise NotThere(f"network {model.settings.network!r} has no gates")
        names = tuple(
            prefix + task for prefix in (_GATES, _CONTRIBUTIONS) for task in model.gate_names
        )
        told = model.told(rows.features, names) if names else {}
        values = {
            task: _of_task(told, task, model, rows)
            for task in model.tasks
            if _GATES + task in told and rows.counts[:, model.tasks.index(task)].any()
        }
        figures: list[Figure] = []
        if values:
            figures.append(Note(text=_ABOUT))
            figures += [_table(task, found, model) for task, found in values.items()]
        figures += _fusion_figures(fusion)
        trimmed = self._trimmed(model, values)
        if trimmed is not None:
            figures.append(Note(text=_trim_words(trimmed, self.threshold)))
        found = {"tasks": values, "fusion": dict(fusion), "trimmed": trimmed}
        return Findings(figures, found, _headline(values))

    def _trimmed(
        self, model: "InsightModel", values: Mapping[str, Any]
    ) -> dict[str, list[str]] | None:
        """What DTN-trim would drop, by task; None for another network."""
        from mtlx.trainer.model.ranking_model import RankingModel
        from mtlx.trainer.networks.dtn.dtn import DTN
        from mtlx.trainer.networks.dtn.dtn_dropped import small_modules

        scorer = model.scorer
        if not isinstance(scorer, RankingModel) or not isinstance(scorer.network, DTN):
            return None
        shares = {task: found[OVERALL]["share"] for task, found in values.items()}
        network = scorer.network
        return small_modules(network.tasks, network.names, network.visible, shares, self.threshold)


_ABOUT = (
    "The weight that each task's gate gives each expert: the mean over the task's rows ± the "
    "standard deviation over these rows. A gate whose weights do not vary treats all rows alike. "
    "“Adds” is the expert's share of what the gate mixes: its weight times the size of its output. "
    "The weights of one gate sum to 1; where a task has two gates, each does."
)


def _of_task(
    told: Mapping[str, np.ndarray], task: str, model: "InsightModel", rows: "EvaluatedRows"
) -> dict[str, Any]:
    """By slice: rows, and by expert the mean weight, its spread, and the mean share."""
    inside = rows.counts[:, model.tasks.index(task)]
    slices = {OVERALL: inside}
    if len(model.domains) > 1:
        slices |= {
            name: inside & (rows.domains == place) for place, name in enumerate(model.domains)
        }
    experts = model.gate_names[task]
    found = {}
    for name, chosen in slices.items():
        if not chosen.any():
            continue
        weights = told[_GATES + task][chosen].astype(np.float64)
        shares = told[_CONTRIBUTIONS + task][chosen].astype(np.float64)
        found[name] = {
            "rows": int(chosen.sum()),
            "weight": dict(zip(experts, weights.mean(axis=0).tolist(), strict=True)),
            "spread": dict(zip(experts, weights.std(axis=0).tolist(), strict=True)),
            "share": dict(zip(experts, shares.mean(axis=0).tolist(), strict=True)),
        }
    return found


def _table(task: str, found: Mapping[str, Any], model: "InsightModel") -> Table:
    domains = [name for name in model.domains if name in found]
    slices = [OVERALL, *domains]
    largest = max(max(found[name]["weight"].values()) for name in slices) or 1.0
    rows = []
    for expert in model.gate_names[task]:
        cells = [
            Cell(
                value=found[name]["weight"][expert],
                error=found[name]["spread"][expert],
                digits=3,
                bar=max(found[name]["weight"][expert], 0.0) / largest,
            )
            for name in slices
        ]
        share = found[OVERALL]["share"][expert]
        cells.insert(1, Cell(value=share, digits=1, percent=True))
        rows.append(Row(head=expert, cells=cells))
    columns = ["Expert", "all rows", "adds", *domains]
    title = f"Gate weights of {task}, {found[OVERALL]['rows']:,} rows"
    return Table(title=title, columns=columns, rows=rows, shown=30)


def _fusion(model: "InsightModel") -> Iterator[tuple[str, float]]:
    """M3oE's α and β by name: sigmoids of the numbers that are learnt."""
    parts = model.parts
    for place, part in enumerate(parts):
        for variable in part.fusion_variables:
            name = variable.name if len(parts) == 1 else f"{variable.name}, model {place + 1}"
            yield name, float(1.0 / (1.0 + np.exp(-np.asarray(variable, np.float64))))


def _fusion_figures(fusion: list[tuple[str, float]]) -> list[Figure]:
    if not fusion:
        return []
    rows = [
        Row(head=name, cells=[Cell(value=value, digits=3, bar=value)]) for name, value in fusion
    ]
    note = (
        "Of the experts of domains and of tasks α is the weight in the sum beside the shared "
        "experts, and β the weight of the row's own domain (the task's own) against all others of "
        "the kind; both start at 0.731."
    )
    return [Note(text=note), Table(title="Fusion weights", columns=["", "weight"], rows=rows)]


def _trim_words(trimmed: Mapping[str, list[str]], threshold: float) -> str:
    if not any(trimmed.values()):
        return f"Every module adds {threshold:g} or more to its gate's mix: nothing to trim."
    parts = [f"{task}: {', '.join(names)}" for task, names in trimmed.items() if names]
    return (
        f"Modules that add less than {threshold:g} to a gate's mix, which training method "
        f"gate_trim would drop: {'; '.join(parts)}."
    )


def _headline(values: Mapping[str, Any]) -> str:
    words = []
    for task, found in values.items():
        weights = found[OVERALL]["weight"]
        expert = max(weights, key=weights.__getitem__)
        words.append(f"{expert} for {task} ({weights[expert]:.2f})")
    return f"Heaviest experts: {', '.join(words)}" if words else ""
