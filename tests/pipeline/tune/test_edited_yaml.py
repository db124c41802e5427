import pytest

from mtlx.pipeline.experiment.experiment_yaml import parse_yaml
from mtlx.pipeline.tune.edited_yaml import CannotEdit, edited

TEXT = """# Head.
name: a   # of the pipeline

model:
  network: mmoe
  options: {experts: 4, gates: {of: task}}  # as in the paper
  bottom_options:
    hidden:
    - 8
    - 4
    # not 2
    rate: 0.5

empty:
training: {epochs: 3}   # few
gate:
  - {rule: auc, minimum: 0.5}
"""


def test_a_value_is_exchanged_and_all_else_stays():
    assert edited(TEXT, ("name",), "b") == TEXT.replace("name: a ", "name: b ")
    text = edited(TEXT, ("model", "options", "experts"), 2)
    assert text == TEXT.replace("experts: 4", "experts: 2")
    assert edited(TEXT, ("gate", "0", "minimum"), 0.7) == TEXT.replace("0.5}", "0.7}")


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        (("model", "options", "towers"), [8, 4], "# as in the paper"),
        (("model", "bottom_options", "hidden"), [16], "# not 2"),
        (("model", "bottom_options", "units"), 3, "# not 2"),
        (("model", "embedding_size"), 8, "# not 2"),
        (("training", "schedule", "options"), {"patience": 1}, "# few"),
        (("training", "learning_rate"), 1e-5, "# few"),
        (("empty",), "some, text", "# few"),
        (("empty", "below"), "text: more", "# few"),
        (("run", "pipeline_root"), "/a b/#c", "# few"),
    ],
)
def test_what_is_said_is_the_change_alone(key, value, kept):
    expected = parse_yaml(TEXT).values
    place = expected
    for step in key[:-1]:
        place[step] = place.get(step) or {}
        place = place[step]
    place[key[-1]] = value
    text = edited(TEXT, key, value)
    assert parse_yaml(text).values == expected
    assert kept in text and "# of the pipeline" in text


def test_a_text_of_several_lines_is_left_alone():
    with pytest.raises(CannotEdit):
        edited("a: |\n  text\n", ("b",), 1)
