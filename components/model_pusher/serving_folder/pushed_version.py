"""One version in the serving folder."""

import dataclasses


class PushFailed(RuntimeError):
    """Nothing was pushed; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class PushedVersion:
    """What a push left.

    Attributes:
        number: of the version.
        path: its folder, a path or URI.
        is_new: whether this push made it; else it was the newest version already.
    """

    number: int
    path: str
    is_new: bool
