from mtlx.pipeline.run.record.written_bytes import written_bytes


def test_all_files_below_the_folders_count(tmp_path):
    (tmp_path / "a" / "Split-train").mkdir(parents=True)
    (tmp_path / "a" / "Split-train" / "data.gz").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "note").write_bytes(b"x" * 24)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "link").symlink_to(tmp_path / "a" / "Split-train" / "data.gz")
    assert written_bytes([str(tmp_path / "a")]) == 1024
    # A link has its own size, not that of what it leads to.
    assert written_bytes([str(tmp_path / "b")]) < 500
    assert written_bytes([str(tmp_path / "gone")]) == 0
    assert written_bytes([str(tmp_path / "a"), "gs://bucket/x"]) is None
