"""What examples say of their span and of the settings that they were read with."""

from tfx.types import standard_artifacts

from mtlx.components.log_example_gen.spans.span_artifact import by_span, settings_digest, span_of


def _examples(number, span=None, own=None):
    artifact = standard_artifacts.Examples()
    artifact.id = number
    if span is not None:
        artifact.set_int_custom_property("span", span)
    if own is not None:
        artifact.span = own
    return artifact


def test_a_span_stands_where_the_stock_driver_or_statistics_have_it():
    assert span_of(_examples(1, span=7)) == 7
    assert span_of(_examples(1, own=7)) == 7
    assert span_of(_examples(1, span=0)) == 0
    assert span_of(_examples(1)) is None


def test_artifacts_are_put_in_the_order_of_their_spans():
    artifacts = [_examples(1, 5), _examples(2, 10), _examples(3), _examples(4, 2), _examples(5, 2)]
    assert [artifact.id for artifact in by_span(artifacts)] == [3, 4, 5, 1, 2]


def test_settings_are_the_same_for_every_span():
    given = {"data": "d", "data_contract": "c", "input_base": "/l"}
    assert settings_digest({**given, "span": 1, "input_config": "x"}) == settings_digest(given)
    for name in given:
        assert settings_digest({**given, name: "other"}) != settings_digest(given)
