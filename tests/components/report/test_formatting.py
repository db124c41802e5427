"""Numbers as people read them."""

import pytest

from mtlx.components.report import formatting

MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("count", (12345,), "12,345"),
        ("count", (0,), "0"),
        ("count", (None,), NONE),
        ("fixed", (0.12345,), "0.1235"),
        ("fixed", (-1.5, 1), f"{MINUS}1.5"),
        ("fixed", (float("nan"),), NONE),
        ("fixed", (float("inf"),), NONE),
        ("fixed", (None,), NONE),
        ("signed", (1.254,), "+1.25"),
        ("signed", (-1.254,), f"{MINUS}1.25"),
        ("signed", (0.0,), "+0.00"),
        ("signed", (float("nan"),), NONE),
        ("short", (1234567.0,), "1.235e+06"),
        ("short", (1234.0,), "1,234"),
        ("short", (-0.00012345,), f"{MINUS}0.0001234"),
        ("short", (None,), NONE),
        ("share", (1, 8), "12.5 %"),
        ("share", (1, 10_000), "<0.1 %"),
        ("share", (0, 10), "0.0 %"),
        ("share", (1, 0), NONE),
        ("duration", (7.24,), "7.2 s"),
        ("duration", (59.94,), "59.9 s"),
        ("duration", (200,), "3 min 20 s"),
        ("duration", (3599.6,), "1 h 0 min"),
        ("duration", (7500,), "2 h 5 min"),
        ("duration", (None,), NONE),
        ("measured", ("relaimp", -1.5), f"{MINUS}1.50 %"),
        ("measured", ("auc", 0.71234), "0.7123"),
        ("measured", ("calibration", 1.0), "1.000"),
        ("measured", ("log_loss", 0.123456), "0.1235"),
    ],
)
def test_a_number_is_written_so(name, arguments, text):
    assert getattr(formatting, name)(*arguments) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at least -1.5 %, not -2", f"at least {MINUS}1.5\N{NO-BREAK SPACE}%, not {MINUS}2"),
        # Names and ranges keep their hyphens.
        ("item-2 of 3-4 and 1.-5", "item-2 of 3-4 and 1.-5"),
        ("-x", "-x"),
    ],
)
def test_sentences_are_typeset(text, expected):
    assert formatting.typeset(text) == expected


def test_the_templates_have_all_filters():
    assert all(function.__name__ == name for name, function in formatting.FILTERS.items())
