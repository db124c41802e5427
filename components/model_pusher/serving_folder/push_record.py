"""What a push notes beside the model, so that a served version says where it comes from."""

import dataclasses
import datetime
import json
import os

from mtlx.components.model_pusher.model_files import RECORD_FILE
from mtlx.components.model_pusher.serving_folder.files import files_of


@dataclasses.dataclass(frozen=True)
class PushRecord:
    """Where a served version comes from.

    Attributes:
        model: path or URI of the model that was copied.
        digest: of the model, see `mtlx.components.model_pusher.model_files.model_digest`.
        run_id: of the run that pushed it; None outside of a run.
        pushed_at: when, with the time zone (ISO 8601).
    """

    model: str
    digest: str
    run_id: str | None
    pushed_at: str

    @classmethod
    def now(cls, model: str, digest: str, run_id: str | None) -> "PushRecord":
        """The record of a push of this moment."""
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        return cls(model, digest, run_id, at)

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
        return cls(**json.loads(b"".join(files_of(folder).read(path))))
