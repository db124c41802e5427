"""Which columns the evaluation itself reads, and how another TFMA tool is told of the run."""

import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_columns import evaluation_columns
from mtlx.components.slice_evaluation.evaluation_config import build_eval_config
from mtlx.components.slice_evaluation.slices import SliceCross

CROSS = SliceCross(("domain", "gender"), ("scenario", "gender"))


def test_features_are_read_as_text_once_each_and_labels_as_numbers(contract):
    columns = evaluation_columns(contract, [CROSS], "user_id", ["user_id", "gender"])
    assert columns == {
        "gender": tf.string, "scenario": tf.string, "user_id": tf.string,
        "click": tf.int64, "purchase": tf.int64, "bought": tf.int64,
    }  # fmt: skip


def test_without_slices_and_users_the_labels_are_all(contract):
    assert list(evaluation_columns(contract, [], None, [])) == ["click", "purchase", "bought"]
    assert "gender" in evaluation_columns(contract, [], None, [], "gender")


def test_tfma_is_told_labels_populations_slices_and_the_baseline(contract):
    config = build_eval_config(("candidate", "baseline"), contract.task_specs, [CROSS])
    assert [(spec.name, spec.is_baseline) for spec in config.model_specs] == [
        ("candidate", False), ("baseline", True),
    ]  # fmt: skip
    for spec in config.model_specs:
        assert dict(spec.label_keys) == {"ctr": "click", "ctcvr": "purchase", "cvr": "bought"}
        # Post-click conversion counts where the click's label is 1.
        assert dict(spec.example_weight_keys) == {"cvr": "click"}
    assert [list(spec.feature_keys) for spec in config.slicing_specs] == [
        [], ["scenario", "gender"],
    ]  # fmt: skip
    weighted = {
        spec.output_names[0]: spec.example_weights.weighted for spec in config.metrics_specs
    }
    assert weighted == {"ctr": False, "ctcvr": False, "cvr": True}


def test_tfma_itself_takes_the_configuration(contract):
    config = build_eval_config(("candidate", "baseline"), contract.task_specs, [CROSS])
    tfma.utils.verify_eval_config(config)
