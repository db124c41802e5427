"""The cleaning itself: a plan of what goes, and its removal from metadata store and disk.

Of each artifact that goes, the store is told first that it is about to be deleted, then its folder
is removed, then the store is told that it is gone. TFX's cache and resolvers take artifacts that
are live and no others: none of them ever finds one whose files are missing. So it is with examples
that lose their rows alone, and keep the summary of the ingestion, which the gate reads by what the
store tells of artifacts in whatever state. A cleaning that was killed in between is finished by the
next one. ML-Metadata has no way to forget an artifact, an execution or a run; their rows stay, but
for the settings of old executions, see `mtlx.pipeline.cleaning.old_executions`.
"""

import dataclasses
import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from mtlx.components.log_example_gen.ingestion_summary import INGESTION_FOLDER
from mtlx.components.model_pusher.serving_folder.remove_version import (
    kept_versions,
    remove_leftovers,
    remove_version,
)
from mtlx.components.model_pusher.serving_folder.versions import Version, Versions
from mtlx.pipeline.cleaning.folders import CHECKPOINTS, QUARANTINE, Folders, OutputFolder
from mtlx.pipeline.cleaning.history import History
from mtlx.pipeline.cleaning.needed import Needed, needed
from mtlx.pipeline.cleaning.old_executions import empty_long_texts, with_long_texts
from mtlx.pipeline.cleaning.run_folders import old_run_folders, strip_run_folder
from mtlx.pipeline.run.workplace import StoreLost, Workplace

_ARTIFACT = metadata_store_pb2.Artifact
#: Where no lock tells which runs are under way, one at which something was done within these
#: seconds counts as such.
UNDER_WAY_SECONDS = 24 * 3600
_CHUNK = 500


class ServingFolderLost(StoreLost):
    """The serving folder is empty, but something was pushed into it."""


@dataclasses.dataclass(frozen=True)
class Removal:
    """One folder that goes.

    Attributes:
        kind: for people: node and output, ``checkpoints``, ``quarantine``, ``runs``, ``versions``,
            ``.system``.
        path: path or URI.
        size: bytes.
    """

    kind: str
    path: str
    size: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a cleaning removes.

    Attributes:
        removals: folders.
        artifacts: that are marked as deleted in the store.
        executions: that lose their long texts there.
        runs: how many there are.
        kept_runs: ids of those that stay as they are.
        versions: of the serving folder that go.
    """

    removals: list[Removal]
    artifacts: list[metadata_store_pb2.Artifact]
    executions: list[metadata_store_pb2.Execution]
    runs: int
    kept_runs: list[str]
    versions: list[Version]

    @property
    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Number of folders and their bytes, the largest kind first."""
        counts = Counter(removal.kind for removal in self.removals)
        sizes: Counter[str] = Counter()
        for removal in self.removals:
            sizes[removal.kind] += removal.size
        ordered = sorted(counts, key=lambda kind: (-sizes[kind], kind))
        return {kind: (counts[kind], sizes[kind]) for kind in ordered}


def clean(place: Workplace, keep: int, keep_versions: int | None, dry_run: bool) -> Plan:
    """Removes what nobody needs.

    Args:
        place: of the experiment.
        keep: so many runs, the newest, stay as they are; at least 1.
        keep_versions: so many of the newest versions stay in the serving folder; None for all.
        dry_run: only say what would go.

    Returns:
        What went, or would go.

    Raises:
        PipelineRootInUse: a run is at work.
        StoreLost: the metadata store is lost, or the serving folder (`ServingFolderLost`), so that
            nobody knows what is needed.
        OSError: something cannot be read or removed; the next cleaning goes on from there.
        ValueError: a record in the serving folder is damaged.
    """
    with place.held():
        store = place.store()
        folders = Folders(place.artifacts)
        plan = _plan(place, store, folders, keep, keep_versions)
        if not dry_run:
            _carry_out(plan, place, store, folders)
        return plan


def _plan(
    place: Workplace,
    store: ml_metadata.MetadataStore,
    folders: Folders,
    keep: int,
    keep_versions: int | None,
) -> Plan:
    # The disk first: what is on it then, the store has heard of by now.
    outputs = list(folders.outputs())
    history = History.read(store, place.experiment.name)
    _check_known(outputs, history, place)
    versions = Versions(place.push_to) if place.push_to else None
    all_versions = versions.all if versions else []
    _check_served(history, place, all_versions)
    kept = kept_versions(versions, keep_versions) if versions and keep_versions else all_versions
    since = None if place.root is not None else int((time.time() - UNDER_WAY_SECONDS) * 1000)
    stays = needed(history, place.experiment, kept, keep, since)
    artifacts, removals = _artifacts_that_go(history, stays, outputs, folders)
    oldest = min((run.started for run in stays.runs), default=0) / 1000.0
    removals += _beside(history, stays, folders, oldest)
    gone = [version for version in all_versions if version not in kept]
    removals += [Removal("versions", v.path, folders.size(v.path)) for v in gone]
    if place.root is not None:
        removals += [
            Removal("runs", str(folder.path), size)
            for folder, size in old_run_folders(place.root, history, stays, oldest)
        ]
    names = [run.run_id for run in stays.runs]
    texts = with_long_texts(history, stays)
    return Plan(removals, artifacts, texts, len(history.runs), names, gone)


def _check_known(outputs: list[OutputFolder], history: History, place: Workplace) -> None:
    """A store that was emptied knows nothing of what is needed, and all would go."""
    newest = max(outputs, key=lambda output: output.number, default=None)
    if newest is not None and newest.number > history.latest_execution:
        raise StoreLost(
            f"{place.artifacts} holds outputs of execution {newest.number}, but the metadata store "
            f"knows executions up to {history.latest_execution} only: it was emptied, replaced or "
            "set back; nothing was removed"
        )


def _check_served(history: History, place: Workplace, versions: list[Version]) -> None:
    """A serving folder that is not mounted holds nothing, and no model would be needed for it."""
    pushed = sum(
        artifact.custom_properties["pushed"].int_value == 1
        for artifact in history.of_kind("PushedModel")
    )
    if place.push_to is not None and pushed and not versions:
        raise ServingFolderLost(
            f"{place.push_to} holds no version, but {pushed} were pushed by runs that are still "
            "known: is it mounted? Nothing was removed"
        )


def _artifacts_that_go(
    history: History, stays: Needed, outputs: list[OutputFolder], folders: Folders
) -> tuple[list[metadata_store_pb2.Artifact], list[Removal]]:
    """Artifacts that are not needed, and the folders of executions that nothing else is in; of
    examples whose summary is needed, the folders with their rows.

    What lies elsewhere than below the pipeline's artifacts, such as an imported model, stays.
    """
    by_path = {output.path: output for output in outputs}
    needed_uris = {_uri(history.artifacts[number]) for number in stays.artifacts}
    needed_uris |= history.foreign_uris
    summaries = {_uri(history.artifacts[number]) for number in stays.summaries}
    artifacts, paths = [], set()
    for number, artifact in history.artifacts.items():
        uri = _uri(artifact)
        if number in stays.artifacts or uri in needed_uris:
            continue
        if not uri.startswith(f"{folders.root}/"):
            continue
        if artifact.state != _ARTIFACT.DELETED:
            artifacts.append(artifact)
        if uri in by_path:
            paths.add(uri)
    known = {_uri(artifact) for artifact in history.artifacts.values()} | history.foreign_uris
    for path, output in by_path.items():
        is_own = output.number in history.executions
        # Of an execution that failed or was killed: the store never heard of what it wrote.
        if path not in known and is_own and output.number not in stays.executions:
            paths.add(path)
    removals = []
    for path in sorted(paths):
        kind = f"{by_path[path].node}/{by_path[path].output}"
        parts = folders.within(path, INGESTION_FOLDER) if path in summaries else [path]
        removals += [Removal(kind, part, folders.size(part)) for part in parts]
    return artifacts, removals


def _uri(artifact: metadata_store_pb2.Artifact) -> str:
    return artifact.uri.rstrip("/")


def _beside(history: History, stays: Needed, folders: Folders, oldest: float) -> list[Removal]:
    """Quarantine, checkpoints and what TFX keeps for itself."""
    kept = set(stays.executions)
    kept |= {
        int(name)
        for number in stays.artifacts
        if (name := os.path.basename(_uri(history.artifacts[number]))).isdecimal()
    }
    found = []
    for path in folders.beside(QUARANTINE):
        name = os.path.basename(path)
        if name.isdecimal() and int(name) in history.executions and int(name) not in kept:
            found.append(Removal(QUARANTINE, path, folders.size(path)))
    # They are named after settings and inputs, and removed when a training is done: what is older
    # than every kept run belongs to none of them.
    found += _older(CHECKPOINTS, folders.beside(CHECKPOINTS), folders, oldest)
    found += _older(".system", folders.system(), folders, oldest)
    return found


def _older(kind: str, paths: Iterable[str], folders: Folders, oldest: float) -> list[Removal]:
    return [
        Removal(kind, path, folders.size(path)) for path in paths if folders.modified(path) < oldest
    ]


def _carry_out(
    plan: Plan, place: Workplace, store: ml_metadata.MetadataStore, folders: Folders
) -> None:
    if place.push_to is not None:
        remove_leftovers(place.push_to)
        for version in plan.versions:
            remove_version(place.push_to, version)
    _mark(store, plan.artifacts, _ARTIFACT.MARKED_FOR_DELETION)
    folders.empty_trash()
    for removal in plan.removals:
        if removal.kind == "runs":
            strip_run_folder(Path(removal.path))
        elif removal.kind != "versions":
            folders.remove(removal.path)
    folders.empty_trash()
    _mark(store, plan.artifacts, _ARTIFACT.DELETED)
    empty_long_texts(store, plan.executions)


def _mark(
    store: ml_metadata.MetadataStore, artifacts: list[metadata_store_pb2.Artifact], state: int
) -> None:
    for start in range(0, len(artifacts), _CHUNK):
        part = artifacts[start : start + _CHUNK]
        for artifact in part:
            artifact.state = state
        store.put_artifacts(part)
