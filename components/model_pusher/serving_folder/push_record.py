"""What a push notes beside the model, so that a served version says where it comes from."""

import dataclasses
import datetime
import json
import os

from mtlx.components.model_pusher.model_files import RECORD_FILE
from mtlx.components.model_pusher.serving_folder.files import files_of
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage


@dataclasses.dataclass(frozen=True)
class PushRecord:
    """Where a served version comes from.

    Attributes:
        model: path or URI of the model that was copied; of a roll back, that of the version which
            was pushed first.
        digest: of the model, see `mtlx.components.model_pusher.model_files.model_digest`.
        run_id: of the run that pushed it; None outside of a run.
        pushed_at: when, with the time zone (ISO 8601).
        lineage: what it was made of; None where that was not noted.
        restores: the version that this one brings back; None for one that was new.
        rollback: name of the roll back that pushed it.
    """

    model: str
    digest: str
    run_id: str | None
    pushed_at: str
    lineage: PushLineage | None = None
    restores: int | None = None
    rollback: str | None = None

    @classmethod
    def now(
        cls, model: str, digest: str, run_id: str | None, lineage: PushLineage | None = None
    ) -> "PushRecord":
        """The record of a push of this moment."""
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        return cls(model, digest, run_id, at, lineage)

    def save(self, folder: str) -> None:
        """Writes it beside a model.

        Raises:
            OSError: it cannot be written.
        """
        text = json.dumps(dataclasses.asdict(self), indent=2)
        files_of(folder).write(os.path.join(folder, RECORD_FILE), [text.encode()])

    @classmethod
    def load(cls, folder: str) -> "PushRecord":
        """Reads what stands beside a model.

        Raises:
            FileNotFoundError: another program made this version.
        """
        path = os.path.join(folder, RECORD_FILE)
        values = json.loads(b"".join(files_of(folder).read(path)))
        # Keys of a later version are left alone: it may serve beside this one.
        known = {field.name for field in dataclasses.fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        if kept.get("lineage") is not None:
            kept["lineage"] = PushLineage.of_record(kept["lineage"])
        return cls(**kept)
