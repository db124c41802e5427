"""Texts of any encoding come out as UTF-8, and what is no text can be told from it."""

import io

import pydantic
import pytest

from mtlx.components.log_example_gen.readers.text_bytes import Encoding, is_utf8, utf8_reader

TEXT = "größe,käufe\n東京,😀\n" * 3


def read(content, encoding, size):
    reader = utf8_reader(io.BytesIO(content), encoding)
    parts = []
    while part := reader(size):
        assert len(part) <= max(size + 3, 4)
        parts.append(part)
    assert reader(size) == b""
    return b"".join(parts)


# Pieces that end within a character, within a pair of surrogates, and behind all.
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_every_encoding_gives_the_same_bytes_in_any_pieces(encoding, size):
    assert read(TEXT.encode(encoding), encoding, size) == TEXT.encode()


def test_one_byte_encodings():
    assert read("größe".encode("latin-1"), "latin-1", 3) == "größe".encode()
    assert read("größe €".encode("cp1252"), "cp1252", 3) == "größe €".encode()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,\x81\n", "cp1252"),  # there is no such character
        ("a,b".encode("utf-16-le")[:-1], "utf-16-le"),  # cut in a character
        (b"\x00\xd8a\x00", "utf-16-le"),  # half of a pair
        (b"a\x80", "ascii"),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_bytes_without_a_character_are_no_utf8_either(content, encoding, size):
    found = read(content, encoding, size)
    with pytest.raises(UnicodeDecodeError):
        found.decode()
    # What is right beside them stays.
    assert b"a" in found


def test_of_utf8_nothing_is_changed():
    damaged = b"a\xff\xed\xa0\x80\n"
    assert read(damaged, "UTF8", 2) == damaged


@pytest.mark.parametrize(
    ("name", "same"), [("utf-8", True), ("UTF8", True), ("utf-8-sig", True), ("latin-1", False)]
)
def test_utf8_has_several_names(name, same):
    assert is_utf8(name) == same


@pytest.mark.parametrize("name", ["utf-8", "latin-1", "utf-16", "shift_jis"])
def test_encodings_of_texts_are_taken(name):
    assert pydantic.TypeAdapter(Encoding).validate_python(name) == name


@pytest.mark.parametrize("name", ["utf-9", "base64", "rot13", ""])
def test_what_encodes_no_text_is_refused(name):
    with pytest.raises(pydantic.ValidationError, match="an encoding of text that Python knows"):
        pydantic.TypeAdapter(Encoding).validate_python(name)
