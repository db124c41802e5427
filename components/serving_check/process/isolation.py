"""Runs a script that may import the standard library and named modules, and nothing else.

``python -I -S isolation.py JSON SCRIPT [ARGUMENTS]``: the JSON has ``folders``, where modules lie,
``modules``, the names of those that may be imported, and ``absent``, the names of those that others
look for before they do without. It stands alone.
"""

import gc
import json
import runpy
import sys
from collections.abc import Iterable

#: How Python was built: of the standard library, but named after the platform, and so on no list.
_BUILD_DATA = "_sysconfigdata_"


class OnlyThese:
    """Refuses every other top-level module, as if it were not installed.

    Args:
        modules: names that may be imported besides those of the standard library.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self._modules = frozenset(modules) | sys.stdlib_module_names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Is asked before Python's own finders; None leaves the module to them."""
        if path is None and not (name in self._modules or name.startswith(_BUILD_DATA)):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def main() -> None:
    """Shuts the process off, then runs the script in it.

    The garbage collector is off: what a script imports first stays, and looking through it takes a
    quarter of the import's time. The script turns it on when it begins its work.
    """
    gc.disable()
    given = json.loads(sys.argv[1])
    sys.path += given["folders"]
    # Found by nobody who looks, where the finder would raise an error at the look.
    sys.modules.update(dict.fromkeys(given["absent"]))
    sys.meta_path.insert(0, OnlyThese(given["modules"]))
    del sys.argv[:2]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
