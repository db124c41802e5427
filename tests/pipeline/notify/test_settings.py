import pytest

from mtlx.pipeline.notify.settings import NotifySettings
from mtlx.transform.config.settings import SettingsError


def test_nobody_is_told_by_default():
    settings = NotifySettings()
    assert (settings.command, settings.webhook, settings.variable) == ([], None, None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"events": ["failed"]}, "names nobody to tell"),
        ({"webhook": "env:not a name"}, "expected env:NAME"),
        ({"webhook": "https://"}, "expected env:NAME"),
        ({"command": ["x"], "events": ["exploded"]}, "'blocked', 'failed', 'drifted' or 'pushed'"),
        ({"command": ["x"], "timeout_seconds": 0}, "greater than 0"),
        ({"comand": ["x"]}, "did you mean 'command'"),
    ],
)
def test_what_is_wrong_is_said(values, said):
    with pytest.raises(SettingsError, match=said):
        NotifySettings.read(values)


def test_a_variable_is_known_by_its_name():
    assert NotifySettings.read({"webhook": "env:MY_HOOK"}).variable == "MY_HOOK"
    assert NotifySettings.read({"webhook": "https://a.example/b?c=d"}).variable is None
