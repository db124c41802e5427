"""Where a run's files lie: one module knows."""

import pytest

from mtlx.pipeline.run.run_folder import RunFolder


def test_latest_leads_to_the_last_run_that_was_made_it(tmp_path):
    assert RunFolder.latest(tmp_path) is None
    for run_id in ("run-1", "run-2"):
        folder = RunFolder.of(tmp_path, run_id)
        folder.path.mkdir(parents=True)
        folder.write_record({"run_id": run_id, "pushed_to": None})
        folder.write_report(f"<p>{run_id} größer</p>")
        folder.make_latest()
        latest = RunFolder.latest(tmp_path)
        assert latest.read_record() == {"run_id": run_id, "pushed_to": None}
        assert latest.report.read_text(encoding="utf-8") == f"<p>{run_id} größer</p>"
    names = {path.name for path in RunFolder.of(tmp_path, "run-2").path.iterdir()}
    assert names == {"run.json", "report.html"}
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"run-1", "run-2", "latest"}
    assert RunFolder.of(tmp_path, "run-1").log == tmp_path / "runs" / "run-1" / "log.txt"


def test_a_leftover_of_a_run_that_was_killed_between_two_steps_is_no_obstacle(tmp_path):
    folder = RunFolder.of(tmp_path, "run-1")
    folder.path.mkdir(parents=True)
    (tmp_path / "runs" / "latest.new").symlink_to("gone")
    folder.make_latest()
    assert RunFolder.latest(tmp_path).path.resolve() == folder.path


def test_a_latest_whose_run_was_removed_is_none(tmp_path):
    folder = RunFolder.of(tmp_path, "run-1")
    folder.path.mkdir(parents=True)
    folder.make_latest()
    folder.path.rmdir()
    assert RunFolder.latest(tmp_path) is None


def test_latest_leads_on_where_the_root_is_moved(tmp_path):
    folder = RunFolder.of(tmp_path / "old", "run-1")
    folder.path.mkdir(parents=True)
    folder.write_record({"größe": "男装 \u2028"})
    folder.make_latest()
    (tmp_path / "old").rename(tmp_path / "new")
    assert RunFolder.latest(tmp_path / "new").read_record() == {"größe": "男装 \u2028"}


def test_what_json_has_not_is_refused_before_it_is_half_written(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_record({"a": 1})
    with pytest.raises(TypeError):
        folder.write_record({"a": object()})
    assert folder.read_record() == {"a": 1}
