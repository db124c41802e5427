"""Which of the scored models are the same training from other seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field


def seed_name(model: str, seed: int) -> str:
    """The name of one seed's model of several: under which it is scored, and its values stand."""
    return f"{model}, seed {seed}"


@dataclass(frozen=True)
class ModelSeeds:
    """The scored models.

    Attributes:
        scored: names in the order of the scores: the compared models, the candidate first, and
            behind them what else is scored of their seeds.
        by_model: of compared models that were trained from several seeds the name under which each
            seed's model is scored: the model's own for the exported one, `seed_name` for others.
    """

    scored: tuple[str, ...]
    by_model: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the models that are compared, the candidate first."""
        further = {
            name
            for model, seeds in self.by_model.items()
            for name in seeds.values()
            if name != model
        }
        return tuple(name for name in self.scored if name not in further)

    def places(self, model: str) -> list[int]:
        """Places among the scored of all that a compared model is the mean of; one is its own."""
        names = self.by_model.get(model, {0: model}).values()
        return [self.scored.index(name) for name in names]

    def exported(self, model: str) -> int | None:
        """The seed of the exported model; None where it was trained once."""
        found = (seed for seed, name in self.by_model.get(model, {}).items() if name == model)
        return next(found, None)
