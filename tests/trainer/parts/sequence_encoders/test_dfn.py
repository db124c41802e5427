import numpy as np
import pytest

from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.transform.config.settings import SettingsError

#: Options, then the groups of explicit sequences and the implicit sequences, by position.
GROUPS = [
    ({}, [[0]], [1]),
    ({"explicit_negative": ["clicks"]}, [[0]], [1]),
    ({"explicit_positive": ["buys"], "explicit_negative": ["clicks"]}, [[1], [0]], []),
    (
        {"explicit_positive": ["buys"], "implicit": ["clicks"]},
        [[1]],
        [0],
    ),
]


@pytest.mark.parametrize("added", ["roles", "positions", "nothing"])
@pytest.mark.parametrize(("options", "explicit", "implicit"), GROUPS)
def test_internal_and_external_interaction(reference, options, explicit, implicit, added):
    options = {"feed_forward": 6, "hidden": [5], "added": added, **options}
    encoder, interests = reference.build("dfn", **options)
    tables = np.zeros((2, 5, 4))
    if added != "nothing":
        tables = np.asarray(encoder.added.table, "float64").reshape(2, -1, 4)
    assert interests.shape == (3, 2 + len(explicit) * len(implicit), 4)
    for row, target, sequences in reference.rows():
        internal = []
        for copy, (items, real) in enumerate(sequences):
            back = [0, *(max(real.sum() - place, 0) for place in range(len(items)))]
            back = np.minimum(back, tables.shape[1] - 1)
            joined = np.stack([target, *items]) + tables[copy, back]
            present = np.asarray([True, *real])
            outputs = reference.block(encoder.transformer, copy, joined, joined, present)
            internal.append(outputs[present].mean(axis=0))
        expected = list(internal)
        for group in explicit:
            believed = np.mean([internal[place] for place in group], axis=0)
            for place in implicit:
                copy = len(expected) - 2
                items, real = sequences[place]
                scores = []
                for item in items:
                    parts = [believed, item, believed * item, believed - item]
                    hidden = reference.dense(encoder.hidden_layers[0], np.concatenate(parts), copy)
                    hidden = np.maximum(hidden, 0)
                    scores.append(reference.dense(encoder.output_layer, hidden, copy)[0])
                weights = reference.softmax(scores, real)
                expected.append(sum(w * item for w, item in zip(weights, items, strict=True)))
        np.testing.assert_allclose(interests[row], expected, rtol=1e-3, atol=1e-4)


def test_several_explicit_sequences_look_together_and_into_each_implicit_one(reference):
    from mtlx.transform.contract.model_inputs import ModelInputs, SequenceInput

    names = ("likes", "buys", "hides", "views", "skips")
    inputs = ModelInputs(
        (), (), tuple(SequenceInput(n, "item", 3) for n in names), "item", ("all",), ()
    )
    options = {"explicit_positive": ["likes", "buys"], "explicit_negative": ["hides"]}
    encoder = SEQUENCE_ENCODERS.build("dfn", options, inputs)
    random = np.random.RandomState(0)
    values = {name: random.randn(2, 3, 4).astype("float32") for name in names}
    masks = {name: np.ones((2, 3), bool) for name in names}
    interests = np.asarray(encoder(values, masks, random.randn(2, 4).astype("float32")))
    assert interests.shape == (2, 5 + 2 * 2, 4)
    assert encoder.explicit == [[0, 1], [2]] and encoder.implicit == [3, 4]
    # What positive and what negative feedback finds in views comes of the views alone.
    changed = {**values, "skips": values["skips"] + 1}
    again = np.asarray(encoder(changed, masks, random.randn(2, 4).astype("float32")))
    assert np.isfinite(again).all()
    for place in (5, 7):
        views = reference.normalised(values["views"])
        low, high = views.min(axis=1), views.max(axis=1)
        assert (interests[:, place] >= low - 1e-5).all()
        assert (interests[:, place] <= high + 1e-5).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"explicit_positive": ["click"]}, "unknown sequence 'click', did you mean 'clicks'"),
        ({"implicit": ["carts"]}, "unknown sequence 'carts'"),
        (
            {"explicit_positive": ["clicks"], "explicit_negative": ["clicks"]},
            "explicit_negative: sequence 'clicks' is named twice",
        ),
    ],
)
def test_refuses_wrong_groups(reference, options, message):
    with pytest.raises(SettingsError, match=message):
        SEQUENCE_ENCODERS.build("dfn", options, reference.inputs)
