"""Imports of TFX and TensorFlow without the garbage collector's help."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def heavy_imports() -> Iterator[None]:
    """Keeps the collector still while modules are imported, and away from them ever after.

    Importing makes a million objects that live as long as the process: looking through them
    takes a quarter of the import's time, and a second more in every run.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
