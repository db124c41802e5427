"""Numbers of parameters, and a model with one part exchanged."""

import pytest

from mtlx.pipeline.catalogue.parameter_count import COUNTED, ParameterCount, with_part
from mtlx.trainer.settings import ModelSettings

MODEL = ModelSettings.read(
    {
        "network": "ple",
        "options": {"expert_units": [8]},
        "sequence_encoder": "din",
        "sequence_options": {"softmax": True},
        "bottom": "trm",
        "bottom_options": {"reduction": 2},
        "embedding_size": 4,
    }
)


def test_the_total_is_of_both_and_numbers_stand_below_each_other():
    count = ParameterCount(1_234_567, 89)
    assert count.total == 1_234_656
    first, *lines = str(count).splitlines()
    assert first == "1,234,656 parameters"
    assert [line.split()[-1] for line in lines] == ["1,234,567", "89"]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("model.network", "mmoe"),
        ("model.sequence_encoder", "bst"),
        ("model.bottom", "none"),
        ("model.arrangement", "mdl"),
    ],
)
def test_another_part_takes_its_default_options_and_leaves_the_others(setting, name):
    changed = with_part(MODEL, setting, name)
    part, options = COUNTED[setting]
    assert getattr(changed, part) == name
    own = {part, options} - {None}
    if options:
        assert getattr(changed, options) == {} != getattr(MODEL, options)
    same = MODEL.model_dump(exclude=own)
    assert changed.model_dump(exclude=own) == same
    assert MODEL.network == "ple"  # the experiment's own is not touched
