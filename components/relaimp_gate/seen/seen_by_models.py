"""Which examples the other models have seen: what ML-Metadata tells the gate's driver of them.

They are no inputs of the gate. Of a model that went on from others these are the examples of every
day behind it, whose rows nobody reads again: a cleaning removes them, and leaves the summary of the
ingestion. TFX resolves no artifact of that kind, and an input that came and went would change the
execution's key in TFX's cache.
"""

import json
import os
from collections.abc import Mapping

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.types import standard_artifacts

from mtlx.components.lineage.model_lineage import known_span, tested_on, trainings_behind
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples

#: Execution property that the driver adds: `seen_by_models`.
SEEN_BY = "seen_by"
_TRAINED, _TESTED = "trained", "tested"


def seen_by_models(
    store: ml_metadata.MetadataStore, models: Mapping[str, int], windowed: bool
) -> str:
    """The raw examples behind models, those of the models that they went on from included.

    Args:
        store: ML-Metadata.
        models: numbers of their artifacts, by what they are to the candidate.
        windowed: whether spans train and test as a whole; else a model was tested on a split of
            what it was trained on.

    Returns:
        JSON, the same however often it is asked for, and whatever was cleaned since.
    """
    seen: dict[int, dict[str, list[int]]] = {}
    for model in models.values():
        trained = set().union(*(one.examples for one in trainings_behind(store, model)))
        tested = tested_on(store, model) if windowed else []
        seen[model] = {_TRAINED: sorted(trained), _TESTED: tested}
    numbers = {one for of_model in seen.values() for some in of_model.values() for one in some}
    found = store.get_artifacts_by_id(sorted(numbers)) if numbers else []
    folder = os.path.commonprefix([one.uri for one in found])
    return json.dumps(
        {
            "models": models,
            "seen": seen,
            # There is one more each day: not the whole path of each.
            "folder": folder,
            "examples": {one.id: _told(one, folder) for one in found},
        },
        separators=(",", ":"),
    )


def _told(examples: metadata_store_pb2.Artifact, folder: str) -> list[str | int | None]:
    return [examples.uri.removeprefix(folder), known_span(examples)]


class SeenBy:
    """Reads what `seen_by_models` wrote.

    Args:
        text: of it; None or empty where nothing is known.
    """

    def __init__(self, text: str | None):
        self._told = json.loads(text) if text else {}
        self._loaded: dict[int, SeenExamples | None] = {}

    def of(self, model: str) -> SeenExamples | None:
        """The rows that a model has seen; None where nothing is known of it.

        Args:
            model: what it is to the candidate.
        """
        number = self._told.get("models", {}).get(model)
        if number is None:
            return None
        if number not in self._loaded:
            self._loaded[number] = self._load(self._told["seen"][str(number)])
        return self._loaded[number]

    def _load(self, seen: Mapping[str, list[int]]) -> SeenExamples | None:
        trained, tested = (
            [self._artifact(number) for number in seen[name]] for name in (_TRAINED, _TESTED)
        )
        return SeenExamples.load_all(trained, tested) if trained else None

    def _artifact(self, number: int) -> types.Artifact:
        path, span = self._told["examples"][str(number)]
        made = standard_artifacts.Examples()
        made.id, made.uri = number, self._told["folder"] + path
        if span is not None:
            made.set_int_custom_property("span", span)
        return made
