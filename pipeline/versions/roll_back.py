"""A roll back: an older version as the newest one, whole or not at all, and its blessing with it.

The order is what makes it safe to kill and to repeat:

1. the intent, which version is left and which brought back, is written into the serving folder;
2. the older version is copied beside the others, under a name that no server reads;
3. the blessings change, in one call;
4. the copy gets its number: from now on it serves;
5. it is said, and the intent is removed.

Killed before 4, the version that was to be withdrawn still serves, and the same command begins
again with the same target. Killed after it, the same command finds its intent fulfilled, says so,
and does not go back one more version. A run in between makes an intent void.
"""

import dataclasses
import json
import os
import uuid
from collections.abc import Callable

from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder.files import files_of
from mtlx.components.model_pusher.serving_folder.local_push import STATE_FOLDER
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion, PushFailed
from mtlx.components.model_pusher.serving_folder.versions import NoVersion, Version, Versions
from mtlx.pipeline.run.workplace import StoreLost, Workplace

_INTENT_FOLDER, _INTENT_FILE = "rollback", "intent.json"


class RollBackFailed(RuntimeError):
    """What was asked for could not be done; the message says what serves."""


@dataclasses.dataclass(frozen=True)
class RollBack:
    """What a roll back left.

    Attributes:
        number: of the version that serves now.
        restored: number of the version whose model that is.
        withdrawn: numbers of the versions that came behind it.
        is_baseline: whether the next run is compared with it; None where no metadata was changed,
            or where an earlier, killed command changed it.
    """

    number: int
    restored: int
    withdrawn: list[int]
    is_baseline: bool | None


@dataclasses.dataclass(frozen=True)
class _Intent:
    """A roll back that is under way, or was killed."""

    name: str
    start: int
    to: int

    @classmethod
    def load(cls, base: str) -> "_Intent | None":
        path = os.path.join(_folder(base), _INTENT_FILE)
        try:
            return cls(**json.loads(b"".join(files_of(base).read(path))))
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, TypeError):  # killed while it was written
            return None

    def save(self, base: str) -> None:
        text = json.dumps(dataclasses.asdict(self))
        files_of(base).write(os.path.join(_folder(base), _INTENT_FILE), [text.encode()])

    def fulfilled_by(self, serving: Version) -> bool:
        return serving.record is not None and serving.record.rollback == self.name


def roll_back(
    place: Workplace,
    to: int | None,
    serving_only: bool,
    on_done: Callable[[RollBack], None],
) -> RollBack:
    """Pushes an older version as the newest one.

    Args:
        place: of the experiment.
        to: number of the version; None for the one before that which serves, versions that were
            withdrawn left out.
        serving_only: leave the metadata as it is, where the store is lost.
        on_done: is told of the result, before the intent is forgotten.

    Raises:
        NoVersion: there is none, or not the one that was asked for, or it serves already.
        PipelineRootInUse: a run is at work.
        StoreLost: the metadata store is lost; nothing was changed.
        RollBackFailed: the push failed.
        OSError: the serving folder cannot be read or written.
    """
    base = place.push_to
    if base is None:
        raise NoVersion("serving.push_to has no value, so that nothing was ever pushed: set it")
    with place.held():
        versions = Versions(base)
        if versions.serving is None:
            raise NoVersion(f"{base} holds no version: nothing was pushed there yet")
        done = _done_before(versions, to)
        if done is None:
            done = _roll_back(place, versions, _target(versions, to), serving_only)
        on_done(done)
        files_of(base).remove(_folder(base))
        return done


def _done_before(versions: Versions, to: int | None) -> RollBack | None:
    """What an earlier command did that was killed before it could say so."""
    intent, serving = _Intent.load(versions.base), versions.serving
    if serving is None or intent is None or not intent.fulfilled_by(serving):
        return None
    if to not in (None, intent.to):
        return None
    withdrawn = [version.number for version in versions.all if version.withdrawn]
    return RollBack(serving.number, intent.to, withdrawn, None)


def _target(versions: Versions, to: int | None) -> Version:
    serving, intent = versions.serving, _Intent.load(versions.base)
    if serving is None:
        raise NoVersion(f"{versions.base} holds no version")
    if to is None and intent is not None and intent.start == serving.number:
        to = intent.to  # a command that was killed is repeated
    target = versions.before if to is None else versions.version(to)
    if target is None:
        raise NoVersion(
            f"version {serving.number} serves, and there is none before it to go back to that was "
            "not withdrawn; --to VERSION brings back a withdrawn one"
        )
    if target.number == serving.number:
        raise NoVersion(f"version {serving.number} serves already")
    if versions.same_model(target, serving):
        raise NoVersion(
            f"version {target.number} serves already, as version {serving.number}: they hold the "
            "same model"
        )
    return target


def _roll_back(
    place: Workplace, versions: Versions, target: Version, serving_only: bool
) -> RollBack:
    serving, base = versions.serving, versions.base
    gone = versions.newer_than(target)
    record = target.record
    if record is None:
        record = PushRecord.now(target.path, model_digest(target.path), None)
    changes = None if serving_only else _blessing_changes(place, record, gone)
    baseline: list[bool] = []

    def before(newest: PushedVersion | None) -> None:
        if newest is None or serving is None or newest.number != serving.number:
            raise PushFailed(f"{base}: another version was pushed meanwhile; look at mtlx versions")
        if changes is not None:
            baseline.append(changes())

    name = uuid.uuid4().hex
    order = PushOrder(record.run_id, record.lineage, record.model, target.original, name, before)
    number = serving.number if serving else 0
    try:
        _Intent(name, number, target.number).save(base)
        pushed = push(target.path, base, order=order)
    except (PushFailed, OSError) as error:
        raise RollBackFailed(
            f"{error}. Version {number} still serves; the same command goes on from here"
        ) from error
    withdrawn = [version.number for version in gone]
    return RollBack(pushed.number, target.number, withdrawn, baseline[0] if baseline else None)


def _blessing_changes(
    place: Workplace, record: PushRecord, gone: list[Version]
) -> Callable[[], bool]:
    """What changes the blessings; that it can be done is known before anything is."""
    from mtlx.pipeline.versions.blessings import Pipeline, roll_back_blessings

    store, name = place.store(), place.experiment.name
    if Pipeline.of(store, name).model_of(record) is None:
        raise StoreLost(
            f"the metadata store knows no model {record.model} of {name}: it was emptied, replaced "
            "or set back, or the model was cleaned away"
        )
    withdrawn = [version.record for version in gone if version.record is not None]
    return lambda: roll_back_blessings(store, name, record, withdrawn)


def _folder(base: str) -> str:
    return os.path.join(base, STATE_FOLDER, _INTENT_FOLDER)
