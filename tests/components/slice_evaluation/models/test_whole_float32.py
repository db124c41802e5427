import pytest
import tensorflow as tf

from mtlx.components.slice_evaluation.models.whole_float32 import whole_float32

_rounds = tf.config.experimental.tensor_float_32_execution_enabled


@pytest.mark.parametrize("before", [True, False])
def test_factors_are_not_rounded_for_a_while(before):
    """True is TensorFlow's default, which training keeps."""
    default = _rounds()
    tf.config.experimental.enable_tensor_float_32_execution(before)
    try:
        with whole_float32():
            assert not _rounds()
        assert _rounds() == before
        with pytest.raises(ValueError, match="of a node"), whole_float32():
            raise ValueError("of a node")
        assert _rounds() == before
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(default)
