"""The full learning rate from the end of the warm-up on."""

from trainer.schedules.schedule import Schedule


class Constant(Schedule):
    """share = 1."""
