import numpy as np
import pytest

from mtlx.pipeline.simulation.days.week import WEEKDAYS, mood, traffic, weekday_index


def test_a_week_has_the_traffic_of_seven_days_whatever_the_strength():
    for strength in (0.0, 1.0, 2.5):
        assert sum(traffic(day, strength) for day in range(1, 8)) == pytest.approx(7.0)
    assert traffic(6, 1.0) == traffic(13, 1.0) == max(traffic(day, 1.0) for day in range(1, 8))
    assert traffic(6, 0.0) == 1.0
    assert WEEKDAYS[weekday_index(15)] == "monday"


def test_a_category_has_its_weekend_and_nothing_is_added_over_the_week():
    rng = np.random.default_rng(1)
    leisure, category = rng.normal(size=(5, 3)), np.arange(5)
    of_days = np.stack([mood(day, 1.0, leisure, category) for day in range(1, 8)])
    assert of_days.shape == (7, 5, 3)
    own = of_days - of_days.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(own.sum(axis=0), 0.0, atol=1e-12)
    differ = of_days[5] - of_days[1]
    assert np.corrcoef(differ[:, 0], leisure[:, 0])[0, 1] > 0.999
    assert not mood(6, 0.0, leisure, category).any()
