"""A folder that is written whole or not at all, and is replaced only where it may be."""

import json

import pytest

from mtlx.pipeline.simulation.output_folder import (
    MANIFEST,
    is_made_from,
    write_manifest,
    written_whole,
)

SETTINGS = {"rows": 10, "seed": 1}


def _write(folder, content="x", settings=SETTINGS):
    with written_whole(folder) as new:
        (new / "log.csv").write_text(content)
        write_manifest(new, settings, rates={"click": 0.1})


def _content(folder):
    return (folder / "log.csv").read_text()


def test_a_folder_knows_what_it_was_made_from(tmp_path):
    folder = tmp_path / "a" / "größe"
    assert not is_made_from(folder, SETTINGS, False)
    _write(folder)
    assert is_made_from(folder, SETTINGS, False) and is_made_from(folder, SETTINGS, True)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest == {"settings": SETTINGS, "rates": {"click": 0.1}}
    # Nothing of the writing is left beside it.
    assert [path.name for path in folder.parent.iterdir()] == ["größe"]


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "a").mkdir()
    assert not is_made_from(tmp_path / "a", SETTINGS, False)
    _write(tmp_path / "a")
    assert _content(tmp_path / "a") == "x"


def test_other_settings_are_named_and_need_a_word(tmp_path):
    folder = tmp_path / "a"
    _write(folder)
    other = {"rows": 20, "seed": 1, "gzip": True}
    with pytest.raises(FileExistsError) as caught:
        is_made_from(folder, other, False)
    text = str(caught.value)
    assert f"{folder} was simulated with other settings (rows 10 → 20, gzip None → True)" in text
    assert "name another folder, or overwrite it (--overwrite)" in text and "seed" not in text
    assert not is_made_from(folder, other, True)
    _write(folder, "y", other)
    assert _content(folder) == "y" and is_made_from(folder, other, False)


@pytest.mark.parametrize(
    "manifest", [None, "", "{", "[]", "{}", '{"settings": 3}', "\xff", '"settings"']
)
def test_what_is_no_simulated_log_is_never_overwritten(tmp_path, manifest):
    (tmp_path / "thesis.txt").write_text("years of work")
    if manifest is not None:
        (tmp_path / MANIFEST).write_bytes(manifest.encode("latin-1"))
    for overwrite in (False, True):
        with pytest.raises(
            FileExistsError, match="is no simulated log, so it is never overwritten"
        ):
            is_made_from(tmp_path, SETTINGS, overwrite)


def test_a_file_is_no_folder_of_ours(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(FileExistsError, match="never overwritten"):
        is_made_from(tmp_path / "a", SETTINGS, True)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_ends_half_way_leaves_all_as_it_was(tmp_path, error):
    folder = tmp_path / "a"
    for before in (None, "old"):
        if before:
            _write(folder, before)
        with pytest.raises(error), written_whole(folder) as new:
            (new / "log.csv").write_text("half")
            raise error
        assert (_content(folder) if before else folder.exists()) == (before or False)
        assert len(list(tmp_path.iterdir())) == (before is not None)


def test_a_place_that_cannot_be_taken_keeps_what_stood_there(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    _write(folder, "old")
    real = type(folder).rename

    def rename(path, target):
        if path.name == "new":
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(type(folder), "rename", rename)
    with pytest.raises(OSError, match="No space left"):
        _write(folder, "new")
    assert _content(folder) == "old"
