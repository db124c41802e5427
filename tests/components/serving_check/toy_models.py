"""Small SavedModels with all signatures: a sound one, and such with a planted fault."""

import tensorflow as tf

from mtlx.trainer.serving.request_checks import equal_lengths, whole_examples
from mtlx.trainer.serving.request_sides import one_row
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
        },
        "tasks": {"click": {"label": "clicked"}},
        "target_item": "item",
        "request_features": ["clicks"],
    }
)

_SPEC = {
    "item": tf.io.FixedLenFeature([], tf.string, ""),
    "price": tf.io.FixedLenFeature([], tf.float32, float("nan")),
    "clicks": tf.io.VarLenFeature(tf.string),
}


def encode(item=None, price=None, clicks=(), clicked=0):
    """A `tf.Example` as ingestion writes it, with its label."""
    example = tf.train.Example()
    features = example.features.feature
    if item is not None:
        features["item"].bytes_list.value.append(item.encode())
    if price is not None:
        features["price"].float_list.value.append(price)
    if clicks:
        features["clicks"].bytes_list.value.extend(value.encode() for value in clicks)
    features["clicked"].int64_list.value.append(clicked)
    return example.SerializeToString(deterministic=True)


def rows(number):
    """Different examples, some with values missing."""
    return [
        encode(
            None if n % 7 == 3 else f"item-{n}",
            None if n % 5 == 2 else 0.1 * n,
            [f"item-{n + m}" for m in range(n % 4)],
            n % 2,
        )
        for n in range(number)
    ]


class Toy(tf.Module):
    """Probabilities of three features.

    Args:
        fault: any of ``swapped`` (the signature for columns takes prices for their opposites),
            ``python`` (calls Python), ``unguarded`` (TensorFlow's parser is given any bytes),
            ``hangs`` (at an empty item), ``slow``, ``infinite`` (hands infinities on), ``first`` (a
            request's side counts for its first item alone); None for a
            sound model. Several are parted by blanks.
        shift: of the logits.
    """

    def __init__(self, fault=None, shift=0.0):
        super().__init__()
        self._faults, self._shift = (fault or "").split(), tf.Variable(shift)

    def _score(self, item, price, clicks):
        price = tf.reshape(price, [-1])
        known = tf.math.is_finite(price)
        if "infinite" in self._faults:
            known = ~tf.math.is_nan(price)
        price = tf.where(known, price, 0.0)
        if "infinite" in self._faults:
            price = price - 0.0 * price  # NaN of an infinity
        # A server does not hold callers to the rank of a tensor: each row is one text.
        item = tf.strings.reduce_join(tf.reshape(item, [tf.shape(item)[0], -1]), axis=1)
        bucket = tf.strings.to_hash_bucket_fast(item, 97)
        there = tf.reduce_sum(tf.cast(clicks != "", tf.float32), axis=1)
        logits = 0.1 * tf.clip_by_value(price, -10.0, 10.0) + tf.cast(bucket, tf.float32) / 97
        logits += 0.05 * tf.minimum(there, 20.0) + self._shift
        if "hangs" in self._faults:
            empty = tf.reduce_any(tf.equal(item, ""))
            logits += 0.0 * tf.cond(empty, _never, lambda: tf.constant(0.0))
        if "slow" in self._faults:
            side = tf.ones([64, 64]) / 64
            turned = tf.while_loop(
                lambda n, _: n < 2000, lambda n, x: (n + 1, x @ side), [0, side]
            )[1]
            logits += 0.0 * turned[0, 0]
        if "python" in self._faults:
            logits = tf.ensure_shape(tf.py_function(lambda x: x, [logits], tf.float32), [None])
        return {"click": tf.sigmoid(logits)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def from_examples(self, examples):
        if "unguarded" not in self._faults:
            examples = whole_examples(examples)
        parsed = tf.io.parse_example(examples, _SPEC)
        return self._score(parsed["item"], parsed["price"], tf.sparse.to_dense(parsed["clicks"]))

    @tf.function(autograph=False)
    def from_columns(self, item, price, clicks):
        columns = equal_lengths({"item": item, "price": price, "clicks": clicks})
        price = -columns["price"] if "swapped" in self._faults else columns["price"]
        return self._score(columns["item"], price, columns["clicks"])

    @tf.function(autograph=False)
    def from_request(self, item, price, clicks):
        items = equal_lengths({"item": item, "price": price})
        clicks = one_row({"clicks": clicks})["clicks"]
        clicks = tf.repeat(clicks, tf.shape(items["item"])[0], axis=0)
        if "first" in self._faults:
            clicks = tf.where(tf.range(tf.shape(clicks)[0])[:, tf.newaxis] == 0, clicks, "")
        return self._score(items["item"], items["price"], clicks)


def _never():
    """Waits for a value that nobody gives."""
    queue = tf.raw_ops.FIFOQueueV2(component_types=[tf.float32], shapes=[[]])
    return tf.raw_ops.QueueDequeueV2(handle=queue, component_types=[tf.float32])[0]


def save(folder, fault=None, shift=0.0):
    """Writes a model; returns its folder."""
    model = Toy(fault, shift)
    specs = {
        "item": tf.TensorSpec([None], tf.string),
        "price": tf.TensorSpec([None], tf.float32),
        "clicks": tf.TensorSpec([None, None], tf.string),
    }
    signatures = {
        "serving_default": model.from_examples,
        "serving_columns": model.from_columns.get_concrete_function(**specs),
        "serving_request": model.from_request.get_concrete_function(**specs),
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    return str(folder)


def scores(folder, examples):
    """What a model gives for examples, by task."""
    signature = tf.saved_model.load(folder).signatures["serving_default"]
    outputs = signature(examples=tf.constant(examples))
    return {task: values.numpy() for task, values in outputs.items()}
