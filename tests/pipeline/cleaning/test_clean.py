"""A cleaning: what goes from disk and store, and what it must never touch."""

import dataclasses
import os
import shutil
import types
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from mtlx.components.model_pusher.serving_folder.versions import Versions
from mtlx.components.relaimp_gate.settings import AnchorWindow
from mtlx.kubeflow.task.metadata_connection import connection_of
from mtlx.kubeflow.task.metadata_server import MetadataServer
from mtlx.pipeline import command_line
from mtlx.pipeline.cleaning.clean import clean
from mtlx.pipeline.cleaning.folders import Folders
from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock
from mtlx.pipeline.run.workplace import StoreLost, Workplace
from mtlx.pipeline.versions.roll_back import roll_back

STATES = metadata_store_pb2.Artifact


def _clean(past, keep=2, keep_versions=None, dry_run=False):
    return clean(past.place, keep, keep_versions, dry_run)


def _left(past):
    """Outputs on the disk, by the place of their run, and the same of what is live in the store."""
    store, disk, live = past.place.store(), {}, {}
    for index, run in enumerate(past.made.runs):
        disk[index] = {name for name in run.artifacts if _whole(run.uri(name))}
        found = store.get_artifacts_by_id([a.id for a in run.artifacts.values()])
        names = {artifact.id: name for name, artifact in run.artifacts.items()}
        live[index] = {names[a.id] for a in found if a.state == STATES.LIVE}
    assert disk == live  # what is live can be read, and what cannot be read is not live
    return disk


def _whole(folder):
    """Whether more is there than the summary of an ingestion."""
    return folder.exists() and os.listdir(folder) != ["ingestion"]


ALL = {
    "examples", "statistics", "schema", "transform_graph", "transformed_examples", "model",
    "model_run", "evaluation", "blessing", "report", "pushed_model",
}  # fmt: skip
#: Of a model that a next run may be compared with.
OPPONENT = {"schema", "transform_graph", "model", "blessing"}
PUSHED = {"model", "blessing"}


def test_the_newest_runs_stay_whole_and_of_the_others_what_is_pushed(make_past):
    past = make_past(5)
    plan = _clean(past)
    assert _left(past) == {0: PUSHED, 1: PUSHED, 2: PUSHED, 3: ALL, 4: ALL}
    assert plan.kept_runs == [run.run_id for run in past.made.runs[3:]]
    # What it said is what is gone.
    assert len(plan.removals) == 3 * (len(ALL) - 2 + 1)  # and the runs' folders
    assert all(removal.size > 0 for removal in plan.removals)
    again = _clean(past)
    assert (again.removals, again.artifacts) == ([], [])


def test_a_dry_run_says_the_same_and_removes_nothing(make_past):
    past = make_past(4)
    said = _clean(past, dry_run=True)
    assert set(map(frozenset, _left(past).values())) == {frozenset(ALL)}
    done = _clean(past)
    assert said.removals == done.removals and said.by_kind == done.by_kind


def test_the_baseline_stays_with_what_a_warm_start_and_the_gate_read(make_past):
    past = make_past(2)
    for span in (3, 4, 5):
        past.made.run(span, blessed=False)
    _clean(past, keep=1)
    # Both are what a run or a rerun of the latest one is compared with.
    assert _left(past) == {0: OPPONENT, 1: OPPONENT, 2: set(), 3: set(), 4: ALL}


def test_the_anchor_window_stays(make_past):
    past = make_past(6)
    gate = past.experiment.gate.model_copy(update={"anchor": AnchorWindow(last=3)})
    experiment = past.experiment.model_copy(update={"gate": gate})
    past.place = dataclasses.replace(past.place, experiment=experiment.anchored())
    _clean(past, keep=1)
    assert _left(past) == {
        0: PUSHED, 1: PUSHED, 2: OPPONENT, 3: OPPONENT, 4: OPPONENT, 5: ALL
    }  # fmt: skip


def test_what_serves_after_a_roll_back_stays_with_its_origin(make_past):
    past = make_past(4)
    roll_back(past.place, 1, False, lambda done: None)
    past.made.run(5, blessed=False)
    _clean(past, keep=1)
    left = _left(past)
    assert left[0] == OPPONENT and left[4] == ALL
    assert left[1] == left[2] == left[3] == PUSHED  # they may come back
    roll_back(past.place, 3, False, lambda done: None)
    assert past.baseline() == past.made.runs[2].artifacts["model"].id


def test_old_versions_go_where_it_is_asked_for_but_never_what_serves_or_comes_next(make_past):
    past = make_past(5)
    roll_back(past.place, 2, False, lambda done: None)  # version 6; version 1 comes next
    _clean(past, keep=1, keep_versions=1)
    versions = Versions(past.base)
    assert [version.number for version in versions.all] == [1, 6]
    assert versions.serving.number == 6 and versions.before.number == 1
    left = _left(past)
    assert left[0] == left[1] == OPPONENT
    assert left[2] == left[3] == set() and left[4] == ALL
    assert os.listdir(f"{past.base}/.mtlx-push").count("removed") == 0


def test_the_window_of_the_next_run_stays(make_past):
    past = make_past(6)
    window = types.SimpleNamespace(train=2, test=1)
    data = types.SimpleNamespace(window=window)
    experiment = past.place.experiment.model_copy(update={"data": data})
    past.place = dataclasses.replace(past.place, experiment=experiment)
    _clean(past, keep=1)
    left = _left(past)
    assert left[3] == PUSHED | {"examples", "statistics"}
    assert left[4] == OPPONENT | {"examples", "statistics"} and left[5] == ALL
    assert left[2] == PUSHED


def test_a_cached_rerun_keeps_what_it_took_over(make_past):
    past = make_past(1)
    for span in (2, 3):
        past.made.run(span, blessed=False)
    past.made.run(1, blessed=False, cached=past.made.runs[0])
    _clean(past, keep=1)
    assert _left(past)[0] == OPPONENT | {"examples", "statistics"}
    assert _left(past)[1] == _left(past)[2] == set() and _left(past)[3] == ALL


def test_what_a_killed_node_wrote_goes_unless_its_run_is_kept(make_past):
    past = make_past(0)
    for _ in range(2):
        past.made.run(1, until="Transform")
        past.made.run(1)
    old, new = (run.executions["Transform"] for run in past.made.runs[::2])
    _clean(past, keep=2)
    folder = Path(past.place.artifacts) / "Transform/transform_graph"
    assert not (folder / str(old)).exists() and (folder / str(new)).exists()


def test_quarantine_checkpoints_and_runs_go_with_their_runs(make_past):
    past = make_past(4)
    artifacts = Path(past.place.artifacts)
    for run in past.made.runs:
        folder = artifacts / "quarantine" / run.uri("examples").name
        folder.mkdir(parents=True)
        (past.place.root / "runs" / run.run_id / "summary.json").touch()
        (folder / "rejected.jsonl").write_text("{}", encoding="utf-8")
    for name, age in (("old", 1000), ("new", -10)):
        (artifacts / "checkpoints" / name).mkdir(parents=True)
        file = artifacts / "checkpoints" / name / "checkpoint.npz"
        file.write_bytes(b"x")
        then = file.stat().st_mtime - age
        for path in (file, file.parent):
            os.utime(path, (then, then))
    _clean(past)
    kept = {run.uri("examples").name for run in past.made.runs[2:]}
    assert set(os.listdir(artifacts / "quarantine")) == kept
    assert os.listdir(artifacts / "checkpoints") == ["new"]
    # Of an old run its record stays, of which the history is made.
    folders = [past.place.root / "runs" / run.run_id for run in past.made.runs]
    assert [sorted(os.listdir(folder)) for folder in folders] == [
        *[["run.json", "summary.json"]] * 2,
        *[["log.txt", "report.html", "run.json", "summary.json"]] * 2,
    ]
    assert (past.place.root / "runs/latest").resolve() == folders[3]


def test_old_executions_lose_their_settings_and_nothing_else(make_past):
    past = make_past(3)
    store = past.place.store()

    def noted(run):
        return store.get_executions_by_id(list(run.executions.values()))

    before = noted(past.made.runs[0])
    assert len(clean(past.place, 1, None, dry_run=True).executions) == 2 * len(before)
    _clean(past, keep=1)
    old, middle, new = map(noted, past.made.runs)
    for execution, was in zip(old, before, strict=True):
        assert execution.custom_properties["data_contract"].string_value == ""
        execution.custom_properties["data_contract"].CopyFrom(
            was.custom_properties["data_contract"]
        )
        execution.last_update_time_since_epoch = was.last_update_time_since_epoch
        assert execution == was
    texts = [[one.custom_properties["data_contract"].string_value for one in some]
             for some in (middle, new)]  # fmt: skip
    assert not any(texts[0]) and all(texts[1])
    again = clean(past.place, 1, None, dry_run=False)
    assert (again.removals, again.executions) == ([], [])


def test_what_lies_elsewhere_stays(make_past, tmp_path):
    """An imported model, which is somebody else's folder."""
    past = make_past(3)
    elsewhere = tmp_path / "given"
    shutil.copytree(past.made.runs[0].uri("model"), elsewhere)
    (report,) = past.made.store.get_artifacts_by_id([past.made.runs[0].artifacts["report"].id])
    report.uri = str(elsewhere)
    past.made.store.put_artifacts([report])
    _clean(past, keep=1)
    assert elsewhere.exists()
    (report,) = past.place.store().get_artifacts_by_id([report.id])
    assert report.state == STATES.LIVE


def test_two_pipelines_in_one_root_leave_each_other_alone(make_past):
    past = make_past(3)
    other = dataclasses.replace(
        past.place, experiment=past.place.experiment.model_copy(update={"name": "other"})
    )
    with pytest.raises(StoreLost, match="knows no run of other"):
        clean(other, 1, None, False)
    past.made._name = "other"
    foreign = [past.made.run(span) for span in (4, 5, 6)]
    past.made._name = past.experiment.name
    _clean(past, keep=1)
    left = _left(past)
    assert all(left[index] == ALL for index in (3, 4, 5))
    assert (past.place.root / "runs" / foreign[0].run_id / "log.txt").exists()
    assert left[0] == PUSHED


@pytest.mark.parametrize("lost", ["removed", "emptied", "set back"])
def test_without_its_metadata_nothing_is_removed(make_past, tmp_path, lost):
    past = make_past(2)
    store = past.place.root / "metadata.sqlite"
    shutil.copy(store, tmp_path / "before.sqlite")
    past.made.run(3)
    store.unlink()
    if lost == "emptied":
        config = connection_of({"TFX_MLMD_SQLITE": str(store)})
        ml_metadata.MetadataStore(config).get_artifact_types()
    if lost == "set back":
        shutil.copy(tmp_path / "before.sqlite", store)
    with pytest.raises(StoreLost):
        _clean(past, keep=1)
    assert all(run.uri(name).exists() for run in past.made.runs for name in run.artifacts)


def test_without_its_serving_folder_nothing_is_removed(make_past, tmp_path):
    """A volume that is not mounted, say: else no model would be needed for a roll back."""
    past = make_past(3)
    (tmp_path / "serving").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreLost, match="holds no version, but 3 were pushed .* is it mounted"):
        _clean(past, keep=1)
    assert _left(past)[0] == ALL


def test_a_version_whose_model_was_cleaned_away_is_no_baseline(make_past, tmp_path):
    past = make_past(3)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "serving/1", kept)
    shutil.rmtree(tmp_path / "serving/1")
    _clean(past, keep=1)
    kept.rename(tmp_path / "serving/1")
    with pytest.raises(StoreLost, match="or the model was cleaned away"):
        roll_back(past.place, 1, False, lambda done: None)
    assert Versions(past.base).serving.number == 3


def test_a_run_at_work_keeps_it_out(make_past):
    past = make_past(2)
    with run_lock(past.place.root), pytest.raises(PipelineRootInUse):
        _clean(past, keep=1)
    assert _left(past)[0] == ALL


def _killed_at(past, place):
    """Cleans in a process that ends without a word after one step; whether it came so far."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def dying(step):
            def function(*arguments, **options):
                nonlocal count
                result = step(*arguments, **options)
                count += 1
                if count == place:
                    os._exit(9)
                return result

            return function

        os.rename, shutil.rmtree, os.unlink = map(dying, (os.rename, shutil.rmtree, os.unlink))
        Path.unlink = dying(Path.unlink)
        ml_metadata.MetadataStore.put_artifacts = dying(ml_metadata.MetadataStore.put_artifacts)
        _clean(past, keep=1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@pytest.mark.parametrize("place", [1, 2, 3, 4, 9, 20])
def test_killed_at_any_point_and_repeated_it_is_right(make_past, place):
    past = make_past(2)
    past.made.run(3, blessed=False)
    past.made.run(4)
    assert _killed_at(past, place)
    store = past.place.store()
    for run in past.made.runs:
        for name, artifact in run.artifacts.items():
            (found,) = store.get_artifacts_by_id([artifact.id])
            assert found.state != STATES.LIVE or _whole(run.uri(name))
    del store
    _clean(past, keep=1)
    assert _left(past) == {0: PUSHED, 1: OPPONENT, 2: set(), 3: ALL}
    assert not (Path(past.place.artifacts) / ".removed").exists()


def _on_cluster(past, port):
    values = past.experiment.kubeflow.model_dump(exclude_unset=True)
    values |= {
        "metadata": {"host": "127.0.0.1", "port": port},
        "settings": {
            "run.pipeline_root": past.place.artifacts,
            "serving.push_to": past.base,
            "data.path": "/mnt/logs/day=*/*.csv",
        },
    }
    kubeflow = type(past.experiment.kubeflow).read(values)
    return Workplace.on_cluster(past.experiment.model_copy(update={"kubeflow": kubeflow}))


def test_on_the_cluster_runs_of_the_last_day_are_kept_for_there_is_no_lock(make_past, monkeypatch):
    past = make_past(3)
    config = connection_of({"TFX_MLMD_SQLITE": str(past.place.root / "metadata.sqlite")})
    server = MetadataServer(config)
    server.start()
    try:
        place = _on_cluster(past, server.port)
        assert clean(place, 1, None, False).removals == []
        monkeypatch.setattr("mtlx.pipeline.cleaning.clean.UNDER_WAY_SECONDS", -60)
        plan = clean(place, 1, None, False)
    finally:
        server.stop()
    assert plan.kept_runs == [past.made.runs[2].run_id]
    assert _left(past) == {0: PUSHED, 1: OPPONENT, 2: ALL}


def test_artifacts_at_a_uri_are_removed(make_past):
    past = make_past(3)
    store = past.made.store
    changed = store.get_artifacts()
    for artifact in changed:
        artifact.uri = f"file://{artifact.uri}"
    store.put_artifacts(changed)
    past.place = dataclasses.replace(past.place, artifacts=f"file://{past.place.artifacts}")
    assert Folders(past.place.artifacts).outputs()
    _clean(past, keep=1)
    # Where the versions came from is not known by these names.
    assert _left(past) == {0: set(), 1: OPPONENT, 2: ALL}


def test_the_command_says_what_would_go_and_how_much(make_past, capsys, absl_as_at_start):
    past = make_past(3)
    arguments = past.command("clean", "--keep", "1")
    assert command_line.main([*arguments, "--dry-run", "--paths"]) == 0
    out = capsys.readouterr().out
    assert str(past.made.runs[0].uri("report")) in out
    assert "would be removed; 1 of 3 runs stay as they are" in out
    assert command_line.main(arguments) == 0
    out = capsys.readouterr().out
    assert "Transform/transformed_examples" in out and "removed; 1 of 3" in out
    with run_lock(past.place.root):
        assert command_line.main(arguments) == 1
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit):
        command_line.main(past.command("clean", "--keep", "0"))
