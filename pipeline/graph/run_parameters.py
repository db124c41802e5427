"""What a compiled pipeline leaves open until a run: where the logs lie, and which span is read."""

import dataclasses

from google.protobuf import json_format
from tfx.orchestration.data_types import RuntimeParameter

from mtlx.components.log_example_gen.component import input_base, range_of
from mtlx.pipeline.experiment.experiment import Experiment

#: Names of the runtime parameters in a compiled pipeline.
DATA_PATH = "data_path"
RANGE_CONFIG = "range_config"


@dataclasses.dataclass(frozen=True)
class RunParameters:
    """Runtime parameters of the ExampleGen; None for the experiment's own values.

    Attributes:
        data_path: folder that the patterns of the logs start from.
        range_config: the span, see `range_json`.
    """

    data_path: RuntimeParameter | None = None
    range_config: RuntimeParameter | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> "RunParameters":
        """Parameters whose defaults are the experiment's own values."""
        data = experiment.data
        return cls(
            RuntimeParameter(DATA_PATH, str, input_base(data)),
            RuntimeParameter(RANGE_CONFIG, str, range_json(data.span)),
        )


def range_json(span: int | str | None) -> str:
    """A span as ExampleGen takes it at run time; None or empty, the latest, as an empty text.

    Raises:
        ValueError: not a span.
    """
    if span is None or span == "":
        return ""
    return json_format.MessageToJson(range_of(span), indent=None, sort_keys=True)
