"""What each seed's model measures by itself, of models that were trained from several."""

from collections.abc import Mapping
from dataclasses import dataclass

from mtlx.components.slice_evaluation.slices import SliceKey, slice_text


@dataclass(frozen=True)
class TrainedSeeds:
    """Of one compared model.

    Attributes:
        seeds: in the order of the trainings, three or more.
        exported: the one whose model is exported: the median on the validation split.
    """

    seeds: tuple[int, ...]
    exported: int


@dataclass(frozen=True)
class SeedMetrics:
    """Values of one seed's model in a task and slice, without intervals.

    Attributes:
        model: ``candidate``, ``baseline``, ``reference`` or ``anchor``.
        seed: of the training.
        task: name.
        key: of the slice.
        values: by name in `evaluation.metrics`, the AUC too; what is undefined is left out.
    """

    model: str
    seed: int
    task: str
    key: SliceKey
    values: Mapping[str, float]

    @property
    def slice(self) -> str:
        """The slice's name for people."""
        return slice_text(self.key)


def seeds_words(
    models: tuple[str, ...], seeds: Mapping[str, TrainedSeeds], user_key: str | None
) -> str:
    """What was compared, in a sentence; empty where the candidate was trained once.

    Args:
        models: that were compared, the candidate first.
        seeds: of those that were trained from several.
        user_key: the clusters' feature, or None where rows are independent.
    """
    if not seeds:
        return ""
    candidate = seeds[models[0]]
    told = [
        f"the {name} {f'of {len(seeds[name].seeds)}' if name in seeds else 'is one model'}"
        for name in models[1:]
    ]
    over = f"values of {user_key}" if user_key else "rows"
    others = f" ({', '.join(told)})" if told else ""
    listed = ", ".join(map(str, candidate.seeds))
    return (
        f"All of this rests on {len(candidate.seeds)} trainings of the candidate, from seeds "
        f"{listed}: means over them are compared{others}, with intervals over {over} and seeds. "
        f"The model of seed {candidate.exported}, the median on the validation split, is the "
        "exported one."
    )
