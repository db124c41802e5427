"""Which paper a preset or a member is from."""

import re

import pytest

from mtlx.pipeline.catalogue import papers
from mtlx.pipeline.catalogue.papers import Paper, paper_of_preset, papers_of_member
from mtlx.pipeline.experiment.presets import preset_names, read_preset


def test_a_paper_is_a_link_where_its_address_is_known():
    assert Paper("On Tea", "https://a.example/1").as_markdown() == "[On Tea](https://a.example/1)"
    assert Paper("On Tea", None).as_markdown() == "On Tea"


def test_presets_of_one_paper_have_one_address():
    by_title = {}
    for name in preset_names():
        paper = paper_of_preset(name)
        assert paper.title == read_preset(name).paper.title
        by_title.setdefault(paper.title, set()).add(paper.address)
    assert all(len(addresses) == 1 for addresses in by_title.values())
    assert paper_of_preset("dtn_trim") == paper_of_preset("dtn")


def test_addresses_are_of_one_paper_each_and_of_places_that_stay():
    addresses = list(papers._ADDRESSES.values())
    for address in addresses:
        assert re.match(r"https://(arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\.)", address)
    # DMT's and DTRN's are different papers; none was copied to the wrong line.
    twice = {address for address in addresses if addresses.count(address) > 1}
    assert twice == set()


@pytest.mark.parametrize(
    ("member", "presets"),
    [
        ("ple", ["ple"]),  # called like its preset
        ("cgc", ["ple"]),
        ("uncertainty_weighting", ["uncertainty_weighting", "man"]),
        ("single_task", []),  # nobody's, though a preset is called so
        ("csv", []),
        ("no such member", []),
    ],
)
def test_members_have_the_papers_of_their_presets(member, presets):
    assert papers_of_member(member) == [paper_of_preset(name) for name in presets]
