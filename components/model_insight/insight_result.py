"""What was found: the artifact, and its one file."""

import os
from typing import Any

import pydantic
import tensorflow as tf
from tfx.types import artifact

from mtlx.components.model_insight.figures import Figure
from mtlx.transform.config.settings import Settings

_FILE = "insight.json"


class InsightResult(artifact.Artifact):
    """A folder with one JSON file, a `ModelInsights`."""

    TYPE_NAME = "InsightResult"


class FoundInsight(Settings):
    """One insight.

    Attributes:
        name: registered name.
        title: how the report calls it.
        rows: that it looked at.
        figures: from top to bottom; empty where there is nothing to see.
        values: all numbers.
        headline: the most important of it in one line, or empty.
        reason: why there is nothing to see, as a sentence; None where there is.
    """

    name: str
    title: str
    rows: int = 0
    figures: list[Figure] = []
    values: dict[str, Any] = {}
    headline: str = ""
    reason: str | None = None


class ModelInsights(Settings):
    """All insights of a run.

    Attributes:
        total: rows of the evaluated split.
        insights: in the order in which they were asked for.
    """

    total: int
    insights: list[FoundInsight]

    @property
    def headlines(self) -> list[str]:
        """One line each, of those that have one."""
        return [insight.headline for insight in self.insights if insight.headline]

    def save(self, uri: str) -> None:
        """Writes the file into the artifact's folder."""
        tf.io.gfile.makedirs(uri)
        with tf.io.gfile.GFile(os.path.join(uri, _FILE), "w") as file:
            file.write(self.to_json())

    @classmethod
    def load(cls, uri: str) -> "ModelInsights":
        """Reads the file of an artifact.

        Raises:
            ValueError: it is damaged, or of another release.
        """
        path = os.path.join(uri, _FILE)
        with tf.io.gfile.GFile(path) as file:
            text = file.read()
        try:
            return cls.from_json(text)
        except pydantic.ValidationError as error:
            raise ValueError(f"{path} holds no insights of this release: {error}") from None
