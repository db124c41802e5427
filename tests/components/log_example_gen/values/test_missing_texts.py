"""Which texts stand for missing values: the reader's, or those of the experiment."""

from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.values.missing_texts import missing_texts


def _texts(reader, **options):
    settings = {"reader": reader, "path": "x", "split": {"by": "hash", "of": "u"}}
    return missing_texts(DataSettings.read({**settings, "options": options}))


def test_without_the_option_each_reader_has_its_own():
    assert _texts("csv") == ("",)
    assert _texts("census_income") == ("", "?")


def test_the_option_counts_and_whole_numbers_are_the_texts_that_they_were():
    assert _texts("csv", missing=["NULL", -1]) == ("NULL", "-1")


def test_what_is_refused_elsewhere_is_no_error_here():
    assert _texts("no_such_reader") == ("",)
    assert _texts("csv", missing=[None]) == ("",)
    assert _texts("csv", missing=7) == ("",)
