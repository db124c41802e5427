import numpy as np
import tensorflow as tf
from sklearn.metrics import log_loss

from mtlx.trainer.losses import LOSSES
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click", "click"))
RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(0, 2, (90, 2)).astype("float32")
MASK = np.stack([np.ones(90), LABELS[:, 0]], axis=1).astype("float32")
LOGITS = RANDOM.randn(90, 2).astype("float32")
PROBABILITIES = 1 / (1 + np.exp(-LOGITS))
#: Domain 1 has no row, domain 3 few.
DOMAINS = np.asarray([0] * 60 + [2] * 20 + [3] * 10)


def _loss(labels, outputs, mask):
    return np.asarray(LOSSES.build("domain_cross_entropy", {}, TASKS)(labels, outputs, mask))


def test_is_the_sum_of_the_domains_means():
    order = RANDOM.permutation(90)
    losses = _loss(
        LABELS[order], {"logits": LOGITS[order], "domain_id": DOMAINS[order]}, MASK[order]
    )
    for task in range(2):
        expected = 0.0
        for domain in (0, 2, 3):
            own = (domain == DOMAINS) & (MASK[:, task] > 0)
            expected += log_loss(LABELS[own, task], PROBABILITIES[own, task])
        np.testing.assert_allclose(losses[task], expected, rtol=1e-4)


def test_a_domain_outside_of_the_population_adds_nothing():
    mask = MASK.copy()
    mask[DOMAINS == 3, 1] = 0
    logits = LOGITS.copy()
    logits[DOMAINS == 3, 1] = np.inf
    losses = _loss(LABELS, {"logits": logits, "domain_id": DOMAINS}, mask)
    expected = _loss(LABELS[:80], {"logits": LOGITS[:80], "domain_id": DOMAINS[:80]}, MASK[:80])
    np.testing.assert_allclose(losses[1], expected[1], rtol=1e-5)


def test_one_domain_is_the_plain_cross_entropy():
    plain = LOSSES.build("binary_cross_entropy", {}, TASKS)(LABELS, {"logits": LOGITS}, MASK)
    for outputs in ({"logits": LOGITS}, {"probabilities": PROBABILITIES}):
        np.testing.assert_allclose(_loss(LABELS, outputs, MASK), plain, rtol=1e-4)


def test_works_in_a_graph_with_int64_domains():
    loss = LOSSES.build("domain_cross_entropy", {}, TASKS)
    graph = tf.function(lambda *arguments: loss(*arguments))
    outputs = {"logits": tf.constant(LOGITS), "domain_id": tf.constant(DOMAINS, tf.int64)}
    np.testing.assert_allclose(graph(LABELS, outputs, MASK), _loss(LABELS, outputs, MASK))


def test_knows_its_sizes_before_it_runs():
    """Where the rows of a batch are known; a compiler such as JAX's asks for it."""
    loss = LOSSES.build("domain_cross_entropy", {}, TASKS)

    @tf.function(input_signature=[tf.TensorSpec((90,), tf.int64)])
    def of_domains(domains):
        return loss(LABELS, {"logits": LOGITS, "domain_id": domains}, MASK)

    concrete = of_domains.get_concrete_function()
    sums = [node for node in concrete.graph.get_operations() if "SegmentSum" in node.type]
    assert [int(tf.get_static_value(node.inputs[2])) for node in sums] == [90, 90]
    outputs = {"logits": LOGITS, "domain_id": DOMAINS}
    np.testing.assert_allclose(concrete(tf.constant(DOMAINS)), _loss(LABELS, outputs, MASK), 1e-5)
