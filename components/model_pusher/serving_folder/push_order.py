"""What a push is asked for besides the model."""

import dataclasses
from collections.abc import Callable

from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion


def _nothing(newest: PushedVersion | None) -> None:
    """What is done before a version gets its number, where nothing is."""


@dataclasses.dataclass(frozen=True)
class PushOrder:
    """What a push writes beside a model, and what is done before it is seen.

    Attributes:
        run_id: of the run that pushes it.
        lineage: what the model was made of.
        model: what the record says was copied; None for what is copied.
        restores: the version that is brought back; None for a new model.
        rollback: name of the roll back that asks for it.
        before: is given the newest version once the copy is whole, right before the copy becomes
            the newest one itself (in a folder of this machine no other push comes in between);
            an error from it keeps the model unpushed. It is not called where the newest version
            holds the model already.
    """

    run_id: str | None = None
    lineage: PushLineage | None = None
    model: str | None = None
    restores: int | None = None
    rollback: str | None = None
    before: Callable[[PushedVersion | None], None] = _nothing

    def record(self, model: str, digest: str) -> PushRecord:
        """The record of a push of this moment."""
        record = PushRecord.now(self.model or model, digest, self.run_id, self.lineage)
        return dataclasses.replace(record, restores=self.restores, rollback=self.rollback)
