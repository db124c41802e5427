"""Which failures pass by themselves: a store, a volume or a service that was away for a while."""

import errno
import re
import sys
from collections.abc import Iterator

#: What the operating system says of a network, or of a volume that lies behind one.
_PASSING_NUMBERS = frozenset(
    {
        errno.EAGAIN,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.EREMOTEIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
#: Names of gRPC's and of absl's states, which TensorFlow and ML-Metadata have as errors.
_PASSING_STATES = ("Unavailable", "DeadlineExceeded", "Aborted")
_PASSING_ERRORS = frozenset(f"{state}Error" for state in _PASSING_STATES)
_PASSING_GRPC = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED"})
#: Answers of an API over HTTP.
_PASSING_HTTP = frozenset({408, 425, 429, 500, 502, 503, 504})
#: In the texts of TensorFlow and of ML-Metadata's database, whose kinds of error say less.
_PASSING_TEXT = re.compile(
    r"Stale file handle|Input/output error|Connection reset by peer|Connection timed out"
    r"|errno: (?:1205|1213|2002|2003|2006|2013)\b|server has gone away|Lost connection to MySQL"
)
#: The last line of a traceback that Beam hands over as a text.
_PASSING_LINE = re.compile(
    r"^(?:\w+\.)*(?:(?:Unavailable|DeadlineExceeded|Aborted|Connection\w*|BrokenPipe|Timeout)Error"
    r"|OSError: \[Errno (?:" + "|".join(map(str, sorted(_PASSING_NUMBERS))) + r")\])",
    re.MULTILINE,
)
_OF_TENSORFLOW = ("tensorflow.", "ml_metadata.")


class TransientFailure(Exception):  # noqa: N818 (a mark, worn by errors of other names)
    """Base of our own errors that may pass."""


def transient_reason(error: BaseException) -> str | None:
    """Why a failure may pass when its work is done again; None where it would only fail again.

    What is wrong with data, settings or code never passes, nor do memory and disks that are full.

    Args:
        error: the failure, with the errors that led to it.

    Returns:
        The first line of the error that passes.
    """
    for one in _chain(error):
        if _passes(one):
            text = str(one).strip()
            return f"{type(one).__name__}: {text.splitlines()[0]}" if text else type(one).__name__
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was raised from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _passes(error: BaseException) -> bool:
    if isinstance(error, TransientFailure | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_NUMBERS:
        return True
    library = type(error).__module__
    if library.startswith(_OF_TENSORFLOW):
        return type(error).__name__ in _PASSING_ERRORS or bool(_PASSING_TEXT.search(str(error)))
    if library.startswith("urllib3."):
        return True
    if _status(error) in _PASSING_HTTP or _grpc_state(error) in _PASSING_GRPC:
        return True
    return isinstance(error, RuntimeError) and bool(_PASSING_LINE.search(str(error)))


def _status(error: BaseException) -> object:
    """State of an answer over HTTP, of the clients of Kubernetes and Kubeflow Pipelines."""
    is_answer = type(error).__name__ == "ApiException"
    return getattr(error, "status", None) if is_answer else None


def _grpc_state(error: BaseException) -> str | None:
    grpc = sys.modules.get("grpc")  # An error of a library that nobody imported is none of its.
    if grpc is None or not isinstance(error, grpc.RpcError) or not hasattr(error, "code"):
        return None
    return str(error.code().name)
