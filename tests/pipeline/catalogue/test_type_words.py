"""Types as a user of YAML thinks of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
import pytest

from mtlx.pipeline.catalogue.type_words import is_section, type_words
from mtlx.trainer.settings import ModelSettings


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "int"),
        (str, "str"),
        (Any, "Any"),
        (type(None), "none"),
        (None | int, "none or int"),
        (int | str | None, "int or str or none"),
        (Annotated[int, pydantic.Field(gt=0)], "int"),
        (Annotated[int, pydantic.Field(gt=0)] | Annotated[int, pydantic.Field(lt=9)], "int"),
        (Literal["a", "b"], "'a' or 'b'"),
        (Literal["first"] | list[str], "'first' or list of str"),
        (list[int], "list of int"),
        (tuple[float, ...], "list of float"),
        (list[list[str]], "list of list of str"),
        (list[int | None], "list of int or none"),
        (dict[str, Any], "mapping"),
        (dict[str, int], "mapping to int"),
        (Mapping[str, list[int]], "mapping to list of int"),
        (dict[str, ModelSettings], "mapping to section"),
        (ModelSettings, "section"),
        (list[ModelSettings] | None, "list of section or none"),
        (list, "list"),
    ],
    ids=str,
)
def test_words(annotation, words):
    assert type_words(annotation) == words


@pytest.mark.parametrize("annotation", [int, list[str], "text", None, dict[str, ModelSettings]])
def test_what_is_no_section(annotation):
    assert not is_section(annotation)


def test_what_is_one():
    assert is_section(ModelSettings)
