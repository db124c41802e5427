"""Optimisers that exchange no gradients where one device trains."""

import keras
import tensorflow as tf

Pairs = list[tuple[tf.Tensor | tf.IndexedSlices, tf.Variable]]


class OneReplica(keras.optimizers.Optimizer):
    """A base in front of Keras's optimisers, of which one replica has nothing to exchange.

    TensorFlow's exchange of dense gradients would keep the step's graph, and with it the weights,
    for as long as the process lives.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Pairs) -> Pairs:
        """See Keras's optimisers for TensorFlow."""
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync == 1:
            return grads_and_vars
        return super()._all_reduce_sum_gradients(grads_and_vars)


class PlainSGD(OneReplica, keras.optimizers.SGD):
    """Keras's gradient descent."""
