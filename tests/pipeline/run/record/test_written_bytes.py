from mtlx.pipeline.run.record.written_bytes import bytes_of_node, written_bytes


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


def test_a_node_is_counted_for_what_it_wrote_itself(tmp_path):
    model = tmp_path / "Trainer" / "model" / "7"
    model.mkdir(parents=True)
    (model / "weights").write_bytes(b"x" * 500)
    outputs = {"model": [str(model)]}
    assert bytes_of_node("Trainer", "complete", outputs) == 500
    assert bytes_of_node("Trainer", "cached", outputs) is None
    # A resolver gives what another run's Trainer wrote.
    assert bytes_of_node("LatestBlessedModel", "complete", outputs) is None
    assert bytes_of_node("LatestBlessedModel", "complete", {}) is None
