import pytest

from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.transform.config.settings import SettingsError


def test_a_limit_is_of_measured_rows():
    given = {"rows": [1, 50], "latency": [{"rows": 50, "ratio": 1.2}]}
    (limit,) = ServingCheckSettings.read(given).latency
    assert (limit.rows, limit.quantile, limit.ratio, limit.milliseconds) == (50, "p50", 1.2, None)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"latency": [{"rows": 50, "ratio": 1.2}]}, "on requests of 50 rows.*add 50 to rows"),
        ({"latency": [{"rows": 1}]}, "give either ratio or milliseconds"),
        ({"latency": [{"ratio": 1.0, "milliseconds": 3}]}, "give either ratio or milliseconds"),
        ({"latency": [{"ratio": 0}]}, "greater than 0"),
        ({"warm_up_rows": 501}, "less than or equal to 500"),
        ({"tolerance": float("inf")}, "finite"),
        ({"timeout": 3}, "did you mean 'timeout_seconds'"),
    ],
)
def test_what_says_nothing_is_refused(values, words):
    with pytest.raises(SettingsError, match=f"(?s){words}"):
        ServingCheckSettings.read(values)
