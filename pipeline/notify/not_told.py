"""What a notifier raises."""


class NotTold(RuntimeError):
    """Somebody was not told; the message says why, and holds no address."""
