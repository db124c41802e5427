"""Digests and copies of models: what makes two folders the same model."""

import pathlib

import pytest

from mtlx.components.model_pusher.model_files import (
    RECORD_FILE,
    copy_model,
    is_model,
    model_digest,
    model_files,
    same_model,
)
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord


def test_what_makes_it_a_model_is_copied_last(make_model):
    """A server that looks while a copy is written must not find half a model."""
    names = list(model_files(make_model("a")))
    assert names[-1] == "saved_model.pb" and len(names) == 5
    assert is_model(["x", "saved_model.pbtxt"]) and not is_model(names[:-1])


def test_a_copy_is_the_same_model_without_what_a_push_noted(make_model, tmp_path):
    source, target = make_model("a"), str(tmp_path / "serving" / "7")
    PushRecord.now(source, "d", "run-1").save(source)
    digest = copy_model(source, target)
    assert digest == model_digest(source) == model_digest(target)
    assert same_model(target, source, digest)
    assert not pathlib.Path(target, RECORD_FILE).exists()
    copied = pathlib.Path(target, "variables", "variables.index").read_bytes()
    assert copied == b"index"


def test_one_byte_or_one_name_makes_another_model(make_model, tmp_path):
    source, target = make_model("a"), str(tmp_path / "copy")
    digest = model_digest(source)
    copy_model(source, target)
    file = pathlib.Path(target, "assets", "vocabulary")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    assert not same_model(target, source, digest)
    file.write_bytes(content)
    assert same_model(target, source, digest)
    file.rename(file.with_name("words"))
    assert not same_model(target, source, digest)


def test_content_that_moves_between_files_is_noticed(make_model, tmp_path):
    """All bytes together would be the same."""
    source, target = make_model("a"), str(tmp_path / "copy")
    copy_model(source, target)
    for name, content in (("fingerprint.pb", b"graph"), ("saved_model.pb", b"print")):
        pathlib.Path(target, name).write_bytes(content)
    assert model_files(target) == model_files(source)
    assert not same_model(target, source, model_digest(source))


def test_a_folder_without_a_model_holds_another_one(make_model, tmp_path):
    source = make_model("a")
    assert not same_model(str(tmp_path / "nowhere"), source, model_digest(source))
    with pytest.raises(FileNotFoundError):
        model_files(str(tmp_path / "nowhere"))
