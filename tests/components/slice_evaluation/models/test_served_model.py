"""A served model is asked for probabilities, and what is none is told with its remedy."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.components.slice_evaluation.models.served_model import ServedModel


class _Tensor:
    def __init__(self, values):
        self._values = np.asarray(values)

    def numpy(self):
        return self._values


class _Signature:
    """Stands for a signature with one argument; serves what it is given."""

    structured_input_signature = ((), {"examples": tf.TensorSpec([None], tf.string)})

    def __init__(self, **outputs):
        self.structured_outputs = outputs
        self.asked = []

    def __call__(self, examples):
        self.asked.append(examples.numpy().tolist())
        for values in self.structured_outputs.values():
            if isinstance(values, Exception):
                raise values
        return {task: _Tensor(values) for task, values in self.structured_outputs.items()}


class _Loaded:
    def __init__(self, signature=None, name="serving_default"):
        self.signatures = {} if signature is None else {name: signature}


@pytest.fixture
def served(monkeypatch):
    """A model under a path, loaded already."""

    def function(loaded, tasks=("click",)):
        monkeypatch.setitem(ServedModel._loaded, "/models/one", loaded)
        return ServedModel("baseline", "/models/one", tasks)

    return function


def test_probabilities_come_by_task_as_one_number_a_row(served):
    signature = _Signature(click=[[0.25], [1.0]], buy=[0.5, 0.0], more=[9.0, 9.0])
    found = served(_Loaded(signature), ("buy", "click")).predict([b"a", b"\xff"])
    assert list(found) == ["buy", "click"]
    assert found["click"].tolist() == [0.25, 1.0] and found["click"].dtype == np.float32
    assert signature.asked == [[b"a", b"\xff"]]


def test_what_is_no_finite_number_becomes_undefined_whatever_it_is(served):
    values = [np.nan, np.inf, -np.inf, 0.5]
    found = served(_Loaded(_Signature(click=values))).predict([b""] * 4)["click"]
    np.testing.assert_array_equal(found, np.float32([np.nan, np.nan, np.nan, 0.5]))


def test_rounding_around_the_ends_is_no_fault(served):
    found = served(_Loaded(_Signature(click=[1 + 1e-6, -1e-6]))).predict([b"", b""])
    assert found["click"].shape == (2,)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"click": [1.5, 0.5]}, "task 'click' served 1.5; a probability lies in"),
        ({"click": [-0.1, 0.5]}, r"served -0\.1.*a logit would have to go through the sigmoid"),
        ({"click": [0.5]}, r"output of shape \(1,\) for 2 examples"),
        ({"click": [[0.1, 0.2], [0.3, 0.4]]}, r"output of shape \(2, 2\) for 2 examples"),
        ({"buy": [0.5, 0.5]}, r"does not serve task\(s\) \['click'\]; it serves \['buy'\]"),
    ],
)
def test_what_is_no_probability_is_refused_by_model_and_task(served, outputs, words):
    with pytest.raises(ValueError, match=words) as caught:
        served(_Loaded(_Signature(**outputs))).predict([b"a", b"b"])
    assert "model 'baseline'" in str(caught.value)


def test_a_model_without_the_signature_is_named_with_those_that_it_has(served):
    with pytest.raises(ValueError, match=r"has no signature 'serving_default'; it has \['other'\]"):
        served(_Loaded(_Signature(click=[]), "other")).load()


def test_a_signature_on_other_things_than_examples_is_named(served):
    signature = _Signature(click=[])
    signature.structured_input_signature = ((), {"price": tf.TensorSpec([None], tf.float32)})
    with pytest.raises(ValueError, match="takes price; one tensor of serialised tf.Examples"):
        served(_Loaded(signature)).load()
    signature.structured_input_signature = ((), {})
    with pytest.raises(ValueError, match="takes nothing; one tensor"):
        served(_Loaded(signature)).load()


def test_of_a_failure_the_cause_is_told_and_not_the_trace(served):
    message = (
        "Graph execution error:\n\nDetected at node x defined at (most recent call last):\n"
        'File "a.py", line 1\nCould not parse example input, value: abc\n\t [[{{node x}}]]'
    )
    error = tf.errors.InvalidArgumentError(None, None, message)
    with pytest.raises(ValueError) as caught:
        served(_Loaded(_Signature(click=error))).predict([b"abc"])
    assert str(caught.value).endswith(
        "fails on these examples: Could not parse example input, value: abc"
    )


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"model 'reference': no SavedModel in {tmp_path}"):
        ServedModel("reference", str(tmp_path), ("click",)).load()


def test_a_model_that_is_damaged_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match=f"model 'anchor' in {tmp_path} cannot be loaded"):
        ServedModel("anchor", str(tmp_path), ("click",)).load()
