import importlib
import inspect
import sys
import textwrap

import pytest

from mtlx.pipeline.process import left_out as module
from mtlx.pipeline.process.left_out import left_out


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that imports a module of its own and, where it is there, a library."""
    files = {
        "heap/__init__.py": """
            from heap import rare
            try:
                import drawing
            except ImportError:
                drawing = None
        """,
        "heap/rare.py": "import drawing\nMADE = [drawing.__name__]",
        "drawing.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "LATER", frozenset({"heap.rare"}))
    monkeypatch.setattr(module, "WITHOUT", {"heap": ("drawing",)})
    yield
    for name in ("heap", "heap.rare", "drawing"):
        sys.modules.pop(name, None)


def test_a_module_is_executed_when_something_of_it_is_asked_for(package):
    with left_out():
        import heap
    assert inspect.ismodule(heap.rare) and heap.rare.__file__.endswith("rare.py")
    assert not hasattr(heap.rare, "__no_such__") and "MADE" not in vars(heap.rare)
    assert heap.rare.MADE == ["drawing"] and heap.rare.MADE is heap.rare.MADE
    with pytest.raises(AttributeError, match="absent"):
        _ = heap.rare.absent


def test_a_library_is_hidden_from_one_package_alone(package):
    with left_out():
        heap, drawing = map(importlib.import_module, ("heap", "drawing"))
    assert heap.drawing is None and inspect.ismodule(drawing)
    assert sys.modules["drawing"] is drawing


def test_outside_nothing_is_left_out(package):
    with left_out():
        pass
    import heap

    assert "MADE" in vars(heap.rare) and heap.drawing is not None
