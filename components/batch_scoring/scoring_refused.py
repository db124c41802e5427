"""What a person has to change before rows can be scored."""


class ScoringRefused(ValueError):
    """Rows cannot be scored; the message says why, in one line, and what helps."""
