"""t-SNE of what each task's logit is linear in, coloured by task, domain and label."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from mtlx.components.model_insight.figures import Figure, Heading, Note, Plot, Series
from mtlx.components.model_insight.insights.insight import SEED, Findings, Insight, NotThere

if TYPE_CHECKING:
    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel

#: Points of all tasks together; t-SNE of more takes minutes.
_POINTS = 3_000
#: Fewer rows have no neighbours to speak of.
_FEWEST = 20
#: Neighbours that t-SNE looks at (its perplexity), where there are enough points.
_NEIGHBOURS = 30.0
_REPRESENTATION = "representation"


class Representations(Insight):
    """t-SNE (van der Maaten and Hinton 2008) of the tasks' representations.

    As in DTN's Fig. 5 (a) and DTRN's Fig. 6 the vectors of all tasks lie in one map: those of
    1,000 rows, by default. A representation is the input of the last layer of a task's tower,
    which the logit is linear in. Silhouettes (Rousseeuw 1987) are measured among the vectors
    themselves, since distances in the map mean little: 1 where groups are apart, 0 where they
    lie in each other.

    Args:
        rows: it looks at so many at most; with more than three tasks at fewer, so that there are
            3,000 points at most.
    """

    title = "Representations"

    def __init__(self, *, rows: Annotated[int, Field(ge=_FEWEST, le=1_000)] = 1_000) -> None:
        self.rows = rows

    def find(
        self, model: "InsightModel", rows: "EvaluatedRows", progress: Callable[[str], None]
    ) -> Findings:
        """See Insight."""
        rows = rows.first(max(_POINTS // len(model.tasks), _FEWEST))
        if len(rows) < _FEWEST:
            raise NotThere(f"{len(rows):,} rows are too few: it takes {_FEWEST}")
        told = model.told(rows.features, (_REPRESENTATION,))
        if _REPRESENTATION not in told:
            raise NotThere(f"network {model.settings.network!r} has no towers to look into")
        vectors = told[_REPRESENTATION].astype(np.float64).swapaxes(0, 1)  # (T, N, h)
        progress(f"t-SNE of {vectors.shape[0] * vectors.shape[1]:,} points")
        places = _map(vectors)  # (T, N, 2)
        silhouettes = _silhouettes(model, rows, vectors)
        figures = _figures(model, rows, places, silhouettes)
        values = {"rows": len(rows), "width": vectors.shape[-1], "silhouette": silhouettes}
        return Findings(figures, values)


def _map(vectors: np.ndarray) -> np.ndarray:
    """Places ``(T, N, 2)`` of vectors ``(T, N, h)``."""
    from sklearn.manifold import TSNE

    joined = vectors.reshape(-1, vectors.shape[-1])
    if np.ptp(joined, axis=0).max() == 0:
        raise NotThere("the representations are the same for all rows and tasks")
    neighbours = min(_NEIGHBOURS, (len(joined) - 1) / 3)
    start = "pca" if joined.shape[1] > 1 else "random"
    found = TSNE(perplexity=neighbours, init=start, random_state=SEED).fit_transform(joined)
    return np.asarray(found).reshape(*vectors.shape[:2], 2)


def _silhouettes(
    model: "InsightModel", rows: "EvaluatedRows", vectors: np.ndarray
) -> dict[str, Any]:
    """Of tasks, and within each task of domains and labels; None where there is one group."""
    found: dict[str, Any] = {"task": None, "domain": {}, "label": {}}
    tasks, number = vectors.shape[:2]
    of_task = np.repeat(np.arange(tasks), number)
    found["task"] = _silhouette(vectors.reshape(-1, vectors.shape[-1]), of_task)
    for place, task in enumerate(model.tasks):
        counts = rows.counts[:, place]
        found["domain"][task] = _silhouette(vectors[place], rows.domains)
        found["label"][task] = _silhouette(vectors[place][counts], rows.labels[counts, place] > 0)
    return found


def _silhouette(vectors: np.ndarray, groups: np.ndarray) -> float | None:
    from sklearn.metrics import silhouette_score

    if not 2 <= len(np.unique(groups)) < len(groups):
        return None
    return float(silhouette_score(vectors, groups))


def _figures(
    model: "InsightModel", rows: "EvaluatedRows", places: np.ndarray, silhouettes: dict[str, Any]
) -> list[Figure]:
    text = (
        f"The input of the last layer of each task's tower for {len(rows):,} rows drawn at "
        "random, laid out by t-SNE: near points have like vectors; distances between groups, and "
        "the axes, mean nothing. A silhouette is 1 where groups are apart, and 0 where they lie in "
        "each other; it is measured among the vectors themselves."
    )
    figures: list[Figure] = [Note(text=text)]
    if len(model.tasks) > 1:
        series = [
            Series(name=task, points=_points(places[place]))
            for place, task in enumerate(model.tasks)
        ]
        figures.append(_plot("By task", series, silhouettes["task"]))
    if len(model.domains) > 1:
        figures.append(Heading(text="By domain"))
        for place, task in enumerate(model.tasks):
            series = [
                Series(name=name, points=_points(places[place][rows.domains == index]))
                for index, name in enumerate(model.domains)
            ]
            figures.append(_plot(f"{task}, by domain", series, silhouettes["domain"][task]))
    figures.append(Heading(text="By label"))
    for place, task in enumerate(model.tasks):
        counts, positive = rows.counts[:, place], rows.labels[:, place] > 0
        # What is drawn last lies on top: rows with the action are the fewer ones.
        groups = (
            ("not in its population", ~counts, True),
            (f"no {task}", counts & ~positive, False),
            (task, counts & positive, False),
        )
        series = [
            Series(name=name, points=_points(places[place][chosen]), faint=faint)
            for name, chosen, faint in groups
        ]
        figures.append(_plot(f"{task}, by label", series, silhouettes["label"][task]))
    return figures


def _plot(title: str, series: list[Series], silhouette: float | None) -> Plot:
    series = [one for one in series if one.points]
    measured = "" if silhouette is None else f", silhouette {silhouette:.2f}"
    groups = ", ".join(f"{len(one.points):,} points of {one.name}" for one in series)
    return Plot(title=title + measured, description=f"t-SNE, {title}: {groups}", series=series)


def _points(places: np.ndarray) -> list[tuple[float, float]]:
    return [(round(float(x), 2), round(float(y), 2)) for x, y in places]
