import pytest

from mtlx.transform.config.settings import Settings, SettingsError


class Inner(Settings):
    top_k: int = 3


class Outer(Settings):
    name: str
    inner: Inner = Inner()
    several: list[Inner] = []


def _problems(values):
    with pytest.raises(SettingsError) as caught:
        Outer.read(values)
    return {".".join(path): text for path, text in caught.value.problems}


def test_unknown_key_names_the_nearest_one():
    problems = _problems({"name": "a", "inner": {"topk": 3}})
    assert problems == {"inner": "unknown setting 'topk', did you mean 'top_k'? Known: 'top_k'"}


def test_wrong_type_names_path_and_value():
    problems = _problems({"name": "a", "several": [{"top_k": 1}, {"top_k": "many"}]})
    assert list(problems) == ["several.1.top_k"]
    assert "Received: 'many'" in problems["several.1.top_k"]


def test_missing_key_is_named():
    assert _problems({}) == {"name": "Field required"}


def test_every_problem_is_listed():
    assert set(_problems({"inner": {"top_k": None}})) == {"name", "inner.top_k"}


def test_json_round_trip_and_immutability():
    settings = Outer.read({"name": "a", "inner": {"top_k": 7}})
    assert Outer.from_json(settings.to_json()) == settings
    with pytest.raises(ValueError, match="frozen"):
        settings.name = "b"
