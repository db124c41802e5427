"""What to do where a bucket or the metadata store refuses what a command asks of it."""

#: By the state that TensorFlow and ML-Metadata make of an answer, the last part of their errors'
#: names; buckets answer with HTTP's states, which stand beside it.
_REMEDIES = {
    # 401
    "Unauthenticated": "give this process credentials of the bucket",
    # 403
    "PermissionDenied": "give this process's account the right to list, read, write and delete "
    "objects there, as roles/storage.objectUser does on Google's cloud",
    # 404, 410
    "NotFound": "it was removed meanwhile, or another place is meant: check run.pipeline_root and "
    "serving.push_to",
    # 409, 412
    "AlreadyExists": "another process works there: try again when it has ended",
    "FailedPrecondition": "another process works there: try again when it has ended",
    "Aborted": "another process works there: try again when it has ended",
    # 429, 500 to 504
    "ResourceExhausted": "too much is asked of it: try again later",
    "Unavailable": "it is away: try again later",
    "DeadlineExceeded": "it does not answer in time: try again later",
    "Internal": "it failed itself: its own log says why",
}
_LIBRARIES = {"tensorflow": "files", "ml_metadata": "metadata store"}


def refusal_words(error: Exception) -> str | None:
    """A line with what refused what, and what to do; None for an error of another kind.

    Args:
        error: of a command's work; an `OSError` that was made of a library's is taken for that.
    """
    if isinstance(error, OSError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    library = _LIBRARIES.get(type(error).__module__.split(".")[0])
    remedy = _REMEDIES.get(type(error).__name__.removesuffix("Error"))
    if library is None or remedy is None:
        return None
    said = " ".join(str(getattr(error, "message", error)).split())
    return f"{library}: {said}: {remedy}. What was not done yet is done by the next call"
