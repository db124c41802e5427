"""What a full disk looks like."""

import errno

#: What libraries say of a full disk where they raise an error of their own.
_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, comes of a full disk or quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(error) for words in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
