import pytest

from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.transform.config.settings import SettingsError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": 0}, "rows: "),
        ({"rows": 15}, "give at least 16 rows"),
        ({"days": 1}, "days: "),
        ({"format": "avro"}, "Received: 'avro'"),
        ({"format": "parquet", "gzip": True}, "gzip is for format csv"),
        ({"domain_mix": {"search": 1.0}}, "give a share for each of home_feed, search"),
        (
            {"domain_mix": {"home_feed": 0.5, "search": 0.3, "product_page": 0.3}},
            "domain_mix adds up to 1.1",
        ),
        ({"domain_mix": {"home_feed": 1.5, "search": 0, "product_page": -0.5}}, "domain_mix."),
        ({"row": 10}, "did you mean 'rows'"),
        ({"seed": -1}, "seed: "),
    ],
)
def test_wrong_settings_are_refused_with_the_remedy(values, message):
    with pytest.raises(SettingsError) as caught:
        SimulationSettings.read(values)
    assert message in str(caught.value)


def test_users_and_items_follow_the_rows():
    settings = SimulationSettings(rows=1_000_000)
    assert (settings.number_of_users, settings.number_of_items) == (50_000, 10_000)
    settings = SimulationSettings(users=7, items=11)
    assert (settings.number_of_users, settings.number_of_items) == (7, 11)


def test_rows_are_spread_evenly_over_the_days():
    settings = SimulationSettings(rows=1003, days=8)
    rows = [settings.rows_of_day(day) for day in range(1, 9)]
    assert sum(rows) == 1003
    assert set(rows) == {125, 126}
