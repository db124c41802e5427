"""A roll back: what serves, whose blessing it is, and what a kill at any point leaves."""

import os
import shutil

import ml_metadata
import pytest

from mtlx.components.model_pusher.model_files import model_digest
from mtlx.components.model_pusher.serving_folder import local_push
from mtlx.components.model_pusher.serving_folder.files import LocalFiles
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.versions import NoVersion, Versions
from mtlx.kubeflow.task.metadata_connection import connection_of
from mtlx.kubeflow.task.metadata_server import MetadataServer
from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock
from mtlx.pipeline.run.workplace import StoreLost, Workplace
from mtlx.pipeline.versions.roll_back import RollBackFailed, roll_back


def _roll_back(past, to=None, serving_only=False):
    return roll_back(past.place, to, serving_only, lambda done: None)


def _model(past, index):
    """Id of the model of a run."""
    return past.made.runs[index].artifacts["model"].id


def _blessed(past, index):
    (blessing,) = past.made.store.get_artifacts_by_id(
        [past.made.runs[index].artifacts["blessing"].id]
    )
    return blessing.custom_properties["blessed"].int_value


@pytest.mark.parametrize("uri", ["", "file://"])
def test_the_version_before_serves_again_and_is_the_baseline(make_past, uri):
    past = make_past(3, uri)
    assert past.baseline() == _model(past, 2)
    done = _roll_back(past)
    assert (done.number, done.restored, done.withdrawn, done.is_baseline) == (4, 2, [3], True)
    versions = Versions(past.base)
    assert model_digest(versions.serving.path) == model_digest(versions.version(2).path)
    record, original = versions.serving.record, versions.version(2).record
    assert (record.run_id, record.lineage, record.restores) == (
        original.run_id,
        original.lineage,
        2,
    )
    assert past.baseline() == _model(past, 1)
    assert [_blessed(past, index) for index in range(3)] == [1, 1, 0]


def test_a_second_one_goes_back_to_the_version_before_that(make_past):
    past = make_past(3)
    _roll_back(past)
    assert _roll_back(past).restored == 1
    assert past.baseline() == _model(past, 0)
    with pytest.raises(NoVersion, match="version 5 serves, and there is none before it"):
        _roll_back(past)


def test_all_that_came_behind_the_target_is_withdrawn(make_past):
    past = make_past(3)
    past.made.run(4, pushed=False)  # blessed, and its push failed
    assert past.baseline() == _model(past, 3)
    done = _roll_back(past, to=1)
    assert done.withdrawn == [2, 3]
    assert past.baseline() == _model(past, 0)


def test_a_withdrawn_version_comes_back_with_its_blessing(make_past):
    past = make_past(3)
    _roll_back(past, to=1)
    done = _roll_back(past, to=3)
    assert (done.number, done.is_baseline) == (5, True)
    assert past.baseline() == _model(past, 2)
    assert [_blessed(past, index) for index in range(3)] == [1, 0, 1]
    (model,) = past.made.store.get_artifacts_by_id([_model(past, 2)])
    assert model.custom_properties["withdrawn"].int_value == 0


def test_what_cannot_be_brought_back_is_said_and_changes_nothing(make_past):
    past = make_past(2)
    with pytest.raises(NoVersion, match="holds no version 7; there are: 1, 2"):
        _roll_back(past, to=7)
    with pytest.raises(NoVersion, match="^version 2 serves already$"):
        _roll_back(past, to=2)
    _roll_back(past)
    with pytest.raises(NoVersion, match="version 1 serves already, as version 3"):
        _roll_back(past, to=1)
    assert len(Versions(past.base).all) == 3


def test_before_the_first_push_there_is_nothing_to_go_back_to(make_past):
    with pytest.raises(NoVersion, match="holds no version: nothing was pushed"):
        _roll_back(make_past(0))


@pytest.mark.parametrize("lost", ["removed", "emptied"])
def test_without_its_metadata_nothing_is_changed_unless_it_is_asked_for(make_past, lost):
    past = make_past(2)
    store = past.place.root / "metadata.sqlite"
    store.unlink()
    if lost == "emptied":
        config = connection_of({"TFX_MLMD_SQLITE": str(store)})
        ml_metadata.MetadataStore(config).get_artifact_types()
    with pytest.raises(StoreLost, match="metadata store"):
        _roll_back(past)
    assert Versions(past.base).serving.number == 2
    done = _roll_back(past, serving_only=True)
    assert (done.number, done.restored, done.is_baseline) == (3, 1, None)
    assert Versions(past.base).version(2).withdrawn


def test_a_run_at_work_keeps_it_out(make_past):
    past = make_past(2)
    with run_lock(past.place.root), pytest.raises(PipelineRootInUse):
        _roll_back(past)
    assert Versions(past.base).serving.number == 2


def test_a_push_in_between_is_not_overruled(make_past, monkeypatch, tmp_path):
    past = make_past(2)
    copy, other = local_push.copy_model, tmp_path / "other"
    shutil.copytree(past.made.runs[0].uri("model") / "Format-Serving", other)
    (other / "saved_model.pb").write_bytes(b"another model")

    def meanwhile(source, target):
        digest = copy(source, target)
        monkeypatch.setattr(local_push, "copy_model", copy)
        push(str(other), past.base, "meanwhile")
        return digest

    monkeypatch.setattr(local_push, "copy_model", meanwhile)
    with pytest.raises(RollBackFailed, match="another version was pushed meanwhile"):
        _roll_back(past)
    assert Versions(past.base).serving.record.run_id == "meanwhile"
    assert past.baseline() == _model(past, 1)


#: Whatever changes something outside of the process.
_STEPS = (
    (LocalFiles, "write"),
    (LocalFiles, "remove"),
    (os, "rename"),
    (os, "replace"),
    (os, "unlink"),
    (shutil, "rmtree"),
    (ml_metadata.MetadataStore, "put_artifacts"),
)


def _killed_at(past, place):
    """Rolls back in a process that ends without a word at one step; whether it came so far."""
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

        for owner, name in _STEPS:
            setattr(owner, name, dying(getattr(owner, name)))
        try:
            _roll_back(past)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def test_killed_at_any_point_and_repeated_it_is_right(make_past, tmp_path):
    past = make_past(3)
    kept = tmp_path / "kept"
    for name in ("root", "serving"):
        shutil.copytree(tmp_path / name, kept / name)
    for place in range(1, 100):
        if place > 1:
            for name in ("root", "serving"):
                shutil.rmtree(tmp_path / name)
                shutil.copytree(kept / name, tmp_path / name)
        came = _killed_at(past, place)
        assert Versions(past.base).serving.original in (3, 2), place
        intent = os.path.join(past.base, local_push.STATE_FOLDER, "rollback/intent.json")
        # Once it was said and forgotten it is over: whoever asks again goes one further back.
        if came and (os.path.exists(intent) or Versions(past.base).serving.original == 3):
            done = _roll_back(past)
            assert (done.restored, done.withdrawn) == (2, [3]), place
        versions = Versions(past.base)
        # A number that was given to what did not come to serve is not given again.
        assert [version.number for version in versions.all] in ([1, 2, 3, 4], [1, 2, 3, 5]), place
        assert versions.serving.original == 2 and versions.before.number == 1, place
        past.made.store = past.place.store()
        assert past.baseline() == _model(past, 1), place
        left = set(os.listdir(f"{past.base}/{local_push.STATE_FOLDER}"))
        # A killed push may leave a lock, which the next push removes.
        left = {name for name in left if not name.endswith(".lock")}
        assert left - {"rollback"} == {"highest", "lock"}, place
        assert not os.path.exists(intent), place
        if not came:
            break
    assert 10 < place < 40


def test_on_the_cluster_it_goes_through_the_metadata_server(make_past):
    past = make_past(3)
    config = connection_of({"TFX_MLMD_SQLITE": str(past.place.root / "metadata.sqlite")})
    server = MetadataServer(config)
    server.start()
    try:
        values = past.experiment.kubeflow.model_dump(exclude_unset=True)
        values |= {
            "metadata": {"host": "127.0.0.1", "port": server.port},
            "settings": {
                "run.pipeline_root": past.place.artifacts,
                "serving.push_to": past.base,
                "data.path": "/mnt/logs/day=*/*.csv",
            },
        }
        kubeflow = type(past.experiment.kubeflow).read(values)
        place = Workplace.on_cluster(past.experiment.model_copy(update={"kubeflow": kubeflow}))
        done = roll_back(place, None, False, lambda done: None)
    finally:
        server.stop()
    assert (done.restored, done.is_baseline) == (2, True)
    assert past.baseline() == _model(past, 1)
