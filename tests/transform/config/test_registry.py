import pytest

from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError


class Member:
    """A member for the tests below."""

    def __init__(self, context: str, *, units: int, rate: float = 0.5, names: list[str] = ()):
        self.values = (context, units, rate, list(names))


REGISTRY = Registry("thing", {"member": f"{__name__}:Member", "absent": "no_such_module:X"})


def test_build_passes_context_and_options():
    built = REGISTRY.build("member", {"units": 4, "names": ["a"]}, "context")
    assert built.values == ("context", 4, 0.5, ["a"])


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(SettingsError, match="unknown thing 'membr', did you mean 'member'"):
        REGISTRY.get("membr")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 4, "rte": 1}, "unknown option 'rte' of 'member', did you mean 'rate'"),
        ({"units": "many"}, "Received: 'many'"),
        ({}, "option 'units' of 'member' is required"),
        ({"units": 1, "context": "x"}, "unknown option 'context'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(SettingsError, match=message):
        REGISTRY.build("member", options, "context")


def test_members_are_imported_only_when_asked_for():
    assert sorted(REGISTRY) == ["absent", "member"]
    with pytest.raises(ModuleNotFoundError):
        REGISTRY.get("absent")


def test_a_taken_name_is_refused():
    registry = Registry("thing", {})
    registry.register("a", f"{__name__}:Member")
    assert registry.get("a").__name__ == "Member"
    with pytest.raises(ValueError, match="registered already"):
        registry.register("a", "x:Y")
