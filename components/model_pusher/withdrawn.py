"""How a model says that a roll back withdrew it."""

from tfx import types

#: Custom property of a Model artifact, and of the blessings that were taken from it: 1 where it
#: was withdrawn and not brought back since.
WITHDRAWN_PROPERTY = "withdrawn"


def withdrawn_words(model: types.Artifact) -> str | None:
    """A sentence without its end where a model was withdrawn; None where it was not."""
    if not model.has_custom_property(WITHDRAWN_PROPERTY):
        return None
    if not model.get_int_custom_property(WITHDRAWN_PROPERTY):
        return None
    return (
        "the candidate is a model that a roll back withdrew; mtlx versions shows its version, and "
        "mtlx rollback --to VERSION brings it back"
    )
