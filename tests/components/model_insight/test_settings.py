"""What `report.insight` takes, and how it refuses the rest; without TensorFlow."""

import subprocess
import sys

import pytest

from mtlx.components.report.settings import ReportSettings
from mtlx.transform.config.settings import SettingsError


def test_names_and_settings_are_read():
    options = {"name": "importance", "options": {"rows": 500, "repeats": 3}}
    settings = ReportSettings.read({"insight": ["gates", options]})
    assert [one.name for one in settings.insight] == ["gates", "importance"]
    assert settings.insight[1].options == {"rows": 500, "repeats": 3}
    assert ReportSettings.from_json(settings.to_json()) == settings


def test_the_page_is_given_the_same_whatever_is_looked_into():
    asked = ReportSettings.read({"insight": ["gates"], "title": "t"})
    assert asked.page_json() == ReportSettings.read({"title": "t"}).page_json()
    assert "insight" not in asked.page_json() and "gates" in asked.insights_json()


@pytest.mark.parametrize(
    ("insight", "message"),
    [
        (["importence"], r"insight\.0.*unknown insight 'importence', did you mean 'importance'"),
        (
            [{"name": "importance", "options": {"repeat": 3}}],
            r"insight\.0\.options\.repeat: unknown option 'repeat' of 'importance', did you mean",
        ),
        (
            [{"name": "importance", "options": {"repeats": 1}}],
            r"insight\.0\.options\.repeats: .*greater than or equal to 2. Received: 1",
        ),
        (
            [{"name": "representations", "options": {"rows": 5000}}],
            r"insight\.0\.options\.rows: .*less than or equal to 1000",
        ),
        (["gates", "gates"], r"insight: names an insight twice: \['gates', 'gates'\]"),
        ("gates", r"insight: .*valid list. Received: 'gates'"),
    ],
)
def test_what_is_wrong_is_named(insight, message):
    with pytest.raises(SettingsError, match=message):
        ReportSettings.read({"insight": insight})


def test_settings_load_nothing_heavy():
    code = (
        "import sys; from mtlx.components.report.settings import ReportSettings as R;"
        "R.read({'insight': ['importance', 'gates', 'representations', 'sequences']});"
        "print(*{'tensorflow', 'keras', 'tfx', 'sklearn', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
