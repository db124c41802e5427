"""Wildcards: two of them, and every other character is itself."""

import pytest

from mtlx.components.relaimp_gate.wildcards import matches
from tests.components.slice_names import ODD_VALUES


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("*", ["", "a", "two\nlines", "a/b"], []),
        ("?", ["a", "\n", "🎉"], ["", "ab"]),
        ("a*c", ["ac", "abc", "a\nc"], ["ab", "acb", "bac"]),
        ("5\\*", ["5*"], ["5", "50", "5x"]),
        ("\\?", ["?", "\\?"], ["a"]),
        ("a\\", ["a\\"], ["a"]),
        ("[ab]", ["[ab]"], ["a", "b"]),
        ("a.b", ["a.b"], ["axb"]),
        ("Sport", ["Sport"], ["sport", "Sports", " Sport"]),
        ("", [""], ["a"]),
    ],
)
def test_whole_names_are_matched(pattern, names, others):
    assert all(matches(name, pattern) for name in names)
    assert not any(matches(name, pattern) for name in others)


def test_every_value_is_named_by_itself():
    for value in ODD_VALUES:
        assert matches(value, value), value
        escaped = "".join(f"\\{character}" for character in value)
        assert [other for other in ODD_VALUES if matches(other, escaped)] == [value]
