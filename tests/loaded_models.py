"""SavedModels loaded once for all tests of a process that look at them.

To load one, and to call it first, takes longer than what is asked of it; a finished run's model is
scored, evaluated and looked into by dozens of tests. What is loaded has no state that a call changes.
"""

import collections
import contextlib
import hashlib
from pathlib import Path

import pytest
import tensorflow as tf

#: Models that are kept, the ones used last; each is tens of megabytes.
KEPT = 8


def _digest(path):
    """Of the files that are read: a copy is the same model, a file that was damaged another."""
    found = hashlib.blake2b()
    for file in sorted(Path(path).rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and name.parts[0] != "assets.extra":
            content = file.read_bytes()
            found.update(f"{name} {len(content)} ".encode() + content)
    return found.digest()


@contextlib.contextmanager
def loaded_once():
    """`tf.saved_model.load` of a model that was loaded before gives that one."""
    load, kept = tf.saved_model.load, collections.OrderedDict()

    def known(path):
        digest = _digest(path)
        if digest not in kept:
            kept[digest] = load(path)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(digest)
        return kept[digest]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", known)
        yield
