"""Which insights the report is to have: entries of `report.insight` in the experiment file."""

from typing import Any

import pydantic

from mtlx.components.model_insight.insights import INSIGHTS
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings, SettingsError


class InsightSettings(Settings):
    """One insight; its name alone stands for it with its own options.

    Attributes:
        name: ``importance``, ``gates``, ``representations`` or ``sequences``.
        options: the insight's options by name, such as `rows`, the most rows that it looks at.
    """

    name: str
    options: dict[str, Any] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read_name(cls, value: Any) -> Any:
        """A name stands for settings with that name."""
        return {"name": value} if isinstance(value, str) else value

    @pydantic.field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in INSIGHTS:
            raise ValueError(f"unknown insight {value!r}, {suggest(value, INSIGHTS)}")
        return value

    @pydantic.model_validator(mode="after")
    def _options_fit(self) -> "InsightSettings":
        # The classes import nothing heavy: what is wrong is said before TensorFlow is loaded.
        try:
            INSIGHTS.validate(self.name, self.options)
        except SettingsError as error:
            problems = [(("options", *path), text) for path, text in error.problems]
            raise SettingsError(problems) from None
        return self


class InsightList(pydantic.RootModel[list[InsightSettings]]):
    """Several insights as one text, for a TFX execution property."""
