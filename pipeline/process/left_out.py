"""What TensorFlow, TFX and TFMA import at once and no run asks for: loaded later, or not at all."""

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

#: Modules that their packages import as modules (``from package import module``) and that are
#: executed when something of theirs is asked for.
LATER = frozenset(
    {
        # NLTK, for a metric of texts.
        "tensorflow_model_analysis.metrics.rouge",
        # Scikit-learn, for statistics that no default asks for.
        "tensorflow_data_validation.utils.mutual_information_util",
        # The clients of Kubernetes and Docker, for the stock InfraValidator.
        "tfx.components.infra_validator.model_server_runners.kubernetes_runner",
        "tfx.components.infra_validator.model_server_runners.local_docker_runner",
    }
)
#: By package the libraries that it makes use of where they are installed, and does without else.
WITHOUT = {"keras": ("matplotlib", "sklearn"), "keras_tuner": ("sklearn",)}


@contextlib.contextmanager
def left_out() -> Iterator[None]:
    """Leaves out, while modules are imported, what would only take time.

    A module of `LATER` that was imported meanwhile is executed when it is first used, then or
    afterwards. A library of `WITHOUT` is hidden from that package alone.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds these modules as Python does, and loads them otherwise."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Is asked before Python's own finders; None leaves the module to them."""
        if name not in LATER and name not in WITHOUT:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            hidden = WITHOUT.get(name)
            spec.loader = _Later(spec.loader) if hidden is None else _Without(spec.loader, hidden)
        return spec


class _Later(Loader):
    """Executes a module at its first use.

    Args:
        loader: its own.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module."""
        return _Unused(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Notes how it is executed when it is used."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader


class _Unused(ModuleType):
    """A module that has not been executed; what the import system sets is there."""

    _lock = threading.RLock()

    def __getattr__(self, name: str) -> object:
        # Whoever looks through all modules asks for these.
        if name.startswith("__"):
            raise AttributeError(name)
        with _Unused._lock:
            if type(self) is _Unused:
                # Also for itself, while it is executed.
                self.__class__ = ModuleType  # type: ignore[assignment]
                assert self.__spec__ is not None and self.__spec__.loader is not None
                self.__spec__.loader.exec_module(self)
        return getattr(self, name)


class _Without(Loader):
    """Executes a package to which some libraries are not installed.

    Args:
        loader: its own.
        hidden: their names.
    """

    def __init__(self, loader: Loader, hidden: Sequence[str]) -> None:
        self._loader, self._hidden = loader, hidden

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Executes it and all that it imports."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        # Those that somebody else has imported cost nothing any more.
        hidden = [name for name in self._hidden if name not in sys.modules]
        sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not there.
        try:
            self._loader.exec_module(module)
        finally:
            for name in hidden:
                del sys.modules[name]
