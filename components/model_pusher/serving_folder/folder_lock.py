"""Locks on files: the operating system gives them back when a process ends, however it ends."""

import contextlib
import errno
import fcntl
from collections.abc import Iterator
from typing import IO

#: A file system that knows no locks says one of these.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def open_lock(path: str) -> IO[bytes]:
    """Opens, or makes, the file that a lock is taken on.

    Raises:
        OSError: it cannot be made.
    """
    return open(path, "ab")


def take(file: IO[bytes], wait: bool) -> bool:
    """Takes the lock on an open file; closing the file gives it back.

    Args:
        file: see `open_lock`.
        wait: until another process gives it back.

    Returns:
        Whether it was free and is taken. False as well where the file system knows no locks.

    Raises:
        OSError: the lock could not be asked for.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


@contextlib.contextmanager
def locked(path: str) -> Iterator[bool]:
    """Holds a lock; waits for it.

    Args:
        path: of the file that stands for it.

    Yields:
        Whether it is held, or the file system knows no locks.
    """
    with open_lock(path) as file:
        yield take(file, wait=True)
