"""Beam's runner in this process, without what it does for workers on other machines.

Each of a pipeline's functions is pickled and packed by bzip2 several times over, so that programs
of a thousand of them fit into a message; and each value of its cache is weighed, for which all
globals of all modules are gone through. It is a twentieth of a small run.
"""

import bz2
import contextlib
import zlib
from types import SimpleNamespace

import pytest
from apache_beam.internal import cloudpickle_pickler, dill_pickler
from apache_beam.runners.worker import statecache

_PICKLERS = (dill_pickler, cloudpickle_pickler)


def _packed(pickled, compresslevel=9):
    return zlib.compress(pickled, 1)


def _unpacked(packed):
    # Of a pipeline's parts some were made where Beam's own way held.
    return (bz2 if packed.startswith(b"BZh") else zlib).decompress(packed)


@contextlib.contextmanager
def light_beam():
    """Pickles are packed by zlib at its fastest, and values of the cache count alike."""
    with pytest.MonkeyPatch.context() as patch:
        own = SimpleNamespace(compress=_packed, decompress=_unpacked)
        for pickler in _PICKLERS:
            patch.setattr(pickler, "bz2", own, raising=False)
        patch.setattr(statecache, "get_deep_size", lambda *_: 1)
        yield


def for_other_processes(patch):
    """Packs pickles as workers in other processes unpack them."""
    for pickler in _PICKLERS:
        patch.setattr(pickler, "bz2", bz2, raising=False)
