"""What takes long to make, made once for all processes that test side by side."""

import fcntl
import os
import pickle


def made_once(tmp_path_factory, name, make):
    """What `make` returns, made by the first process that asks for it.

    Args:
        tmp_path_factory: pytest's.
        name: of what is made; each needs one of its own.
        make: from a new folder to something that pickle takes, such as paths in the folder.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of this run, above the processes' own folders
    folder = root / f"once-{name}"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = root / f"once-{name}.pickle"
        if not made.exists():
            folder.mkdir()
            made.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(made.read_bytes())
