"""What a text that is no number looks like, in words that help."""

import pytest

from mtlx.components.log_example_gen.values.number_hints import number_hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1e39", "too large for float32"), ("-Infinity", "it is infinite"),
        ("N/A", "add it to data.options.missing"), ("---", "add it to data.options.missing"),
        ("1,234,567", "thousands separators"), ("1 234.5", "thousands separators"),
        ("1'234", "thousands separators"), ("3,5", "a decimal comma"), ("€ 5", "a currency"),
        ("5.00 EUR", "a currency"), ("12 %", "a percentage"), ("0xFF", "a hexadecimal number"),
        ("Yes", "a truth value"), ("2026-01-31T12:00", "a date"), ("31.1.2026", "a date"),
        ("hello", ""), ("", ""), ("1 2", ""),
    ],
)  # fmt: skip
def test_a_malformed_number_is_told_by_what_it_looks_like(text, hint):
    found = number_hint(f" {text} ")
    assert hint in found and bool(found) == bool(hint)
