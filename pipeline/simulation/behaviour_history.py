"""What each user clicked, put in the cart and bought lately."""

import numpy as np

#: Stands where a history is shorter than its array; as an index it is the last entry.
NONE = -1


class BehaviourHistory:
    """The most recent items of every user for one kind of action.

    Attributes:
        items: ``(U, L)`` int32, oldest first, right-aligned; `NONE` where there is none.

    Args:
        users: number of users U.
        length: items kept per user, L.
    """

    def __init__(self, users: int, length: int):
        self.items = np.full((users, length), NONE, np.int32)

    def grow(self, users: int) -> None:
        """Makes room for users that come, who have no past.

        Args:
            users: number of all users then.
        """
        new = np.full((users - len(self.items), self.items.shape[1]), NONE, np.int32)
        self.items = np.concatenate([self.items, new])

    def append(self, users: np.ndarray, items: np.ndarray) -> None:
        """Adds actions, oldest first; the oldest of a full history are forgotten.

        Args:
            users: ``(n,)`` who acted.
            items: ``(n,)`` on what.
        """
        if not len(users):
            return
        order = np.argsort(users, kind="stable")
        users, items = users[order], items[order]
        who, start, count = np.unique(users, return_index=True, return_counts=True)
        length = self.items.shape[1]
        place = np.arange(length) + count[:, np.newaxis]  # (who, L): where the kept ones are
        kept = np.take_along_axis(self.items[who], np.minimum(place, length - 1), axis=1)
        self.items[who] = np.where(place < length, kept, NONE)
        after = np.repeat(start + count, count) - np.arange(len(users))  # 1 for a user's latest
        recent = after <= length
        self.items[users[recent], length - after[recent]] = items[recent]
