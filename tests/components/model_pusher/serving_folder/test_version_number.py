"""Numbers of versions, as TensorFlow Serving reads them."""

import pytest

from mtlx.components.model_pusher.serving_folder.version_number import (
    NoNumberLeft,
    next_number,
    version_numbers,
)


def test_folders_that_are_no_versions_are_left_out():
    names = ["1", "0012", "1700000000", "-3", "1.5", "v2", "", "1 ", "latest", "٣", "1_0", "+4"]
    assert version_numbers(names) == {1: "1", 12: "0012", 1_700_000_000: "1700000000"}


def test_a_number_that_no_server_reads_is_no_version():
    names = ["9223372036854775807", "9223372036854775808", "99999999999999999999"]
    assert version_numbers(names) == {2**63 - 1: "9223372036854775807"}


def test_the_next_number_is_behind_all_whatever_the_clock_says():
    assert next_number([]) == 1
    assert next_number([3, 1_700_000_000, 7]) == 1_700_000_001
    assert next_number(iter([2**63 - 2])) == 2**63 - 1


def test_where_no_number_is_left_it_says_which_version_to_remove():
    with pytest.raises(NoNumberLeft, match="has the number 9223372036854775807.*remove it"):
        next_number([2**63 - 1])
