"""Where a run's files lie: one module knows."""

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
