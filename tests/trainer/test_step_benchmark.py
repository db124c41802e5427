"""How `benchmarks.step_time` counts a step's operations, against a count by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.graph_flops import matmul_flops
from benchmarks.product_flops import product_flops
from benchmarks.step_flops import products_of, step_flops
from benchmarks.step_models import TASKS, batch_of
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs


def test_a_step_of_an_mlp_is_three_times_its_products():
    """Forward, by the weights and by the inputs, which are embeddings and so are trained, too."""
    fields, width, hidden, rows, tasks = 3, 4, 7, 1000, len(TASKS)
    inputs = ModelInputs(
        tuple(CategoricalInput(f"field_{i}", 9) for i in range(fields)), (), (), None, ("a",), TASKS
    )
    options = {"bottom_hidden": [hidden], "tower_hidden": []}
    settings = ModelSettings(
        network="shared_bottom",
        options=options,
        embedding_size=width,
        sequence_encoder="none",
    )
    keras.utils.set_random_seed(1)
    model = RankingModel(inputs, settings)
    batch = batch_of(inputs, 64)
    step = OrdinaryStep(model, TASKS, TrainingSettings(), tf.distribute.get_strategy())
    step.prepare({name: tf.constant(values) for name, values in batch.items()})
    forward = 2 * rows * (fields * width * hidden + hidden * tasks)
    assert step_flops(step, batch, rows) == pytest.approx(3 * forward)
    assert not tf.config.functions_run_eagerly()


def test_a_product_in_a_loop_counts_as_often_as_it_runs():
    matrix = tf.ones((2, 2))

    def loop():
        return tf.while_loop(lambda n, _: n < 5, lambda n, m: (n + 1, m @ matrix), (0, matrix))

    assert products_of(loop) == 5 * 2 * 2**3
    # Nobody counts any more.
    assert products_of(lambda: None) == 0


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda a: tf.matmul(a(3, 4), a(4, 5)), 2 * 3 * 4 * 5),
        (lambda a: tf.matmul(a(4, 3), a(4, 5), transpose_a=True), 2 * 3 * 4 * 5),
        (lambda a: tf.matmul(a(2, 3, 4), a(2, 5, 4), transpose_b=True), 2 * 2 * 3 * 4 * 5),
        (lambda a: tf.matmul(a(2, 4, 3), a(2, 4, 5), transpose_a=True), 2 * 2 * 3 * 4 * 5),
        (lambda a: tf.einsum("bi,cio->bco", a(3, 4), a(2, 4, 5)), 2 * 2 * 3 * 4 * 5),
        (lambda a: tf.einsum("bci,cio->bco", a(3, 2, 4), a(2, 4, 5)), 2 * 2 * 3 * 4 * 5),
        (lambda a: tf.einsum("...ij,jk->...ik", a(7, 2, 3, 4), a(4, 5)), 2 * 7 * 2 * 3 * 4 * 5),
        (lambda a: tf.transpose(a(3, 4)) * 2.0, 0),
    ],
)
def test_operations_of_a_product(function, expected):
    def made():
        return function(lambda *shape: tf.ones(shape))

    assert products_of(made) == expected
    assert matmul_flops(tf.function(made).get_concrete_function().graph) == expected


def test_a_sum_over_one_operand_multiplies_nothing():
    attributes = {"equation": b"ij->ji"}
    assert product_flops("Einsum", [(3, 4)], attributes, (4, 3)) == 0
    assert np.isclose(product_flops("Relu", [(3, 4)], {}, (3, 4)), 0)
