"""The versions in a serving folder: which serves, which was withdrawn, which goes back to which."""

import dataclasses
import json
import os

from mtlx.components.model_pusher.model_files import is_model, model_digest
from mtlx.components.model_pusher.serving_folder.files import files_of
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.version_number import version_numbers


@dataclasses.dataclass(frozen=True)
class Version:
    """One version that is there.

    A roll back pushes an older version again, under a number of its own. `original` is the number
    under which a model came first, so that versions of one model are seen to be that.

    Attributes:
        number: of the version.
        path: its folder, a path or URI.
        record: what was noted beside it; None where another program made it.
        original: number of the version that it brings back, its own where it was new.
        serves: whether it is the newest, which is what a server takes.
        withdrawn: whether a roll back went behind it, and nothing brought it back since.
    """

    number: int
    path: str
    record: PushRecord | None
    original: int
    serves: bool
    withdrawn: bool


class NoVersion(ValueError):
    """The serving folder holds no such version; the message says which there are."""


class Versions:
    """All versions in a serving folder.

    Args:
        base: path or URI of the serving folder.

    Raises:
        OSError: it cannot be read.
        ValueError: a record is no JSON.
    """

    def __init__(self, base: str):
        self.base = base.rstrip("/")
        files = files_of(base)
        numbers = version_numbers(files.names(base))
        paths = {number: os.path.join(self.base, numbers[number]) for number in sorted(numbers)}
        paths = {number: path for number, path in paths.items() if is_model(files.names(path))}
        records = {number: _record(path) for number, path in paths.items()}
        withdrawn = _withdrawn(records)
        newest = max(paths, default=None)
        self.all = [
            Version(
                number,
                path,
                records[number],
                _original(number, records[number]),
                number == newest,
                _original(number, records[number]) in withdrawn,
            )
            for number, path in paths.items()
        ]

    @property
    def serving(self) -> Version | None:
        """The one that serves; None before the first push."""
        return self.all[-1] if self.all else None

    @property
    def before(self) -> Version | None:
        """The one before that which serves: what a roll back goes to by itself.

        Versions that were withdrawn are left out, and those that hold what serves now.
        """
        serving = self.serving
        if serving is None:
            return None
        older = [
            version
            for version in self.all
            if version.original < serving.original and not version.withdrawn
        ]
        return max(older, key=lambda found: found.original) if older else None

    def version(self, number: int) -> Version:
        """The version with a number.

        Raises:
            NoVersion: there is none.
        """
        for version in self.all:
            if version.number == number:
                return version
        known = ", ".join(str(version.number) for version in self.all[-20:])
        more = "... " if len(self.all) > 20 else ""
        raise NoVersion(f"{self.base} holds no version {number}; there are: {more}{known}")

    def newer_than(self, target: Version) -> list[Version]:
        """Versions that a roll back to one withdraws: those that came behind it.

        A version that brought back what is not behind it stays as it is.
        """
        return [version for version in self.all if version.original > target.original]

    def same_model(self, version: Version, other: Version) -> bool:
        """Whether two versions hold the same model, whatever their numbers.

        Raises:
            OSError: one of them cannot be read.
        """
        first, second = (
            one.record.digest if one.record else model_digest(one.path) for one in (version, other)
        )
        return first == second


def serving_version(base: str) -> Version | None:
    """The version that serves, without a look at what the others noted; None before the first.

    Args:
        base: path or URI of the serving folder.

    Raises:
        OSError: it cannot be read.
        ValueError: its record is no JSON.
    """
    base = base.rstrip("/")
    files = files_of(base)
    numbers = version_numbers(files.names(base))
    for number in sorted(numbers, reverse=True):
        path = os.path.join(base, numbers[number])
        if is_model(files.names(path)):
            record = _record(path)
            return Version(number, path, record, _original(number, record), True, False)
    return None


def _record(path: str) -> PushRecord | None:
    try:
        return PushRecord.load(path)
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: assets.extra/push.json is not what a push writes ({error}): remove that file"
        ) from error


def _original(number: int, record: PushRecord | None) -> int:
    return number if record is None or record.restores is None else record.restores


def _withdrawn(records: dict[int, PushRecord | None]) -> set[int]:
    """Originals that are withdrawn: the pushes of the past, one after another."""
    withdrawn: set[int] = set()
    seen: set[int] = set()
    for number, record in records.items():
        original = _original(number, record)
        if original != number:
            withdrawn |= {other for other in seen if other > original}
            withdrawn.discard(original)
        seen.add(original)
    return withdrawn
