import pytest

from pipeline.catalogue import describe, listing
from trainer.networks import NETWORKS
from transform.settings import SettingsError


def test_listing_names_every_registry():
    text = listing()
    networks = ", ".join(sorted(NETWORKS))
    for line in (
        f"model.network: {networks}",
        "data.reader: census_income, csv",
        "gate.thresholds",
    ):
        assert line in text


def test_options_are_readable():
    text = describe("memonet")
    assert "  restore: 'lmr' or 'amr', 'lmr' by default" in text
    assert "  fields: int or list of str, 8 by default" in text
    assert "Annotated" not in text and "typing" not in text


def test_a_member_without_options_lists_none():
    assert "Options:" not in describe("census_income")


def test_unknown_name_leads_to_a_known_one():
    with pytest.raises(SettingsError, match="did you mean 'mmoe'"):
        describe("mmo")
