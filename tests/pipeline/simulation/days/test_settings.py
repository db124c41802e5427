import datetime

import pytest

from mtlx.pipeline.simulation.days.settings import DailySettings, date_of
from mtlx.transform.config.settings import SettingsError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"days": 0}, "days: "),
        ({"drift": 1.5}, "drift: "),
        ({"new_items": -0.1}, "new_items: "),
        ({"new_users": 0.7}, "new_users: "),
        ({"weekly": -1}, "weekly: "),
        ({"rows_per_day": 1, "shards": 2}, "leaves a day with 1 rows, which don't fill 2 shards"),
        ({"format": "parquet", "gzip": True}, "gzip is for format csv"),
        ({"domain_mix": {"search": 1.0}}, "give a share for each of home_feed, search"),
        ({"drfit": 0.1}, "did you mean 'drift'"),
    ],
)
def test_wrong_settings_are_refused_with_the_remedy(values, message):
    with pytest.raises(SettingsError) as caught:
        DailySettings.read(values)
    assert message in str(caught.value)


def test_the_number_of_days_says_nothing_about_a_day():
    few, many = DailySettings(days=2), DailySettings(days=300)
    assert few.identity() == many.identity() and "days" not in few.identity()
    assert few.rows_of_day(9) == many.rows_of_day(9)
    assert (few.number_of_users, few.number_of_items) == (10_000, 2_000)
    assert few.number_of_users == many.number_of_users


def test_the_first_day_is_a_monday():
    assert date_of(1) == datetime.date(2024, 1, 1) and f"{date_of(1):%A}" == "Monday"
    assert date_of(60) == datetime.date(2024, 2, 29)
