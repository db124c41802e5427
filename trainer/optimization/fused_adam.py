"""Adam whose update of a weight is one operation."""

import keras
import tensorflow as tf

from mtlx.trainer.optimization.one_replica import OneReplica


class FusedAdam(OneReplica, keras.optimizers.Adam):
    """Keras's Adam, which goes over weight, gradient and both moments once.

    As Keras has it an update is a dozen operations, each of which reads and writes as many numbers
    as the weight has. With several devices it is Keras's.
    """

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """See `keras.optimizers.Adam`."""
        if self.amsgrad or tf.distribute.has_strategy():
            super().update_step(gradient, variable, learning_rate)
            return
        index, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations.value, dtype) + 1.0
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )
