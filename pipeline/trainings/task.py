"""What a process is told, and where what it made lies: by what it is made of."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Written last: of a training, what is said of it.
TRAINED_FILE = "trained.json"
#: Why a training or an evaluation ended, where it did not end well.
FAILED_FILE = "failed.json"


@dataclass(frozen=True)
class Prepared:
    """What models are trained and tested on.

    Attributes:
        transform_graph: URI.
        transformed: URIs of transformed examples.
        tested: artifacts of the raw examples that test, as JSON.
        whole: whether all of their splits test.
    """

    transform_graph: str
    transformed: tuple[str, ...]
    tested: str
    whole: bool


@dataclass(frozen=True)
class Training:
    """One model, trained from all of its seeds.

    Attributes:
        contract: JSON of the data contract, as all others are JSON of settings.
        model: its `model`.
        training: its `training`; the seeds are there.
        prepared: what it is trained on.
        parameters: to which its widths are scaled, embeddings aside; None leaves them.
    """

    contract: str
    model: str
    training: str
    prepared: Prepared
    parameters: int | None = None

    def folder(self, root: Path) -> Path:
        """Where it lies: the same settings on the same examples are the same training."""
        made_of = asdict(self)
        made_of["prepared"] = [self.prepared.transform_graph, *self.prepared.transformed]
        return root / "trainings" / digest(made_of)


@dataclass(frozen=True)
class Trial:
    """One model, trained from one seed for what it reaches on the validation split; not exported.

    Attributes:
        contract: JSON of the data contract, as the next two are JSON of settings.
        model: its `model`.
        training: its `training`.
        prepared: what it is trained on.
    """

    contract: str
    model: str
    training: str
    prepared: Prepared

    def folder(self, root: Path) -> Path:
        """Where it lies: the same settings on the same examples are the same training."""
        examples = [self.prepared.transform_graph, *self.prepared.transformed]
        made_of = [self.contract, self.model, self.training, examples]
        return root / "trainings" / digest(made_of)


@dataclass(frozen=True)
class Evaluation:
    """A trained model against another.

    Attributes:
        contract: JSON of the data contract.
        settings: JSON of `evaluation`.
        candidate: folder of its training.
        other: folder of the other's; None for a model by itself.
        prepared: whose test rows they are.
    """

    contract: str
    settings: str
    candidate: str
    other: str | None
    prepared: Prepared

    def folder(self, root: Path) -> Path:
        """Where it lies."""
        tested = [json.loads(self.prepared.tested), self.prepared.whole]
        uris = digest(tested)
        names = [Path(one).name for one in (self.candidate, self.other) if one]
        return root / "evaluations" / digest([self.contract, self.settings, *names, uris])


#: What a process does.
Task = Training | Trial | Evaluation


def write_whole(path: Path, values: Any) -> None:
    """Writes JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
    os.replace(temporary, path)


def digest(made_of: Any) -> str:
    """A name for what is made of these values, which JSON can hold."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:24]
