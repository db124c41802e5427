"""The full learning rate from the end of the warm-up on."""

from mtlx.trainer.optimization.schedules.schedule import Schedule


class Constant(Schedule):
    """share = 1."""
