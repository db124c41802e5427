"""Driver of `RelaImpGate`: looks at what serves and what models have seen, which no input tells."""

from tfx import types
from tfx.dsl.components.base import base_driver as dsl_base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2

from mtlx.components.model_pusher.lineage_of_push import spans_of, tested_until
from mtlx.components.model_pusher.older_span import older_span
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage
from mtlx.components.model_pusher.serving_folder.versions import serving_version
from mtlx.components.model_pusher.withdrawn import withdrawn_words
from mtlx.components.relaimp_gate.seen.seen_by_models import SEEN_BY, seen_by_models
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples

#: Execution property of the component: the serving folder.
PUSH_TO = "push_to"
#: Execution properties that the driver adds: sentences without their ends, empty for none.
OLDER_THAN_SERVED, WITHDRAWN = "older_than_served", "withdrawn"
#: Inputs that the candidate is compared with, by what they are to it.
_OTHERS = {"baseline": "baseline_model", "served": "served_model", "anchor": "anchor_model"}


class Driver(dsl_base_driver.BaseDriver, base_driver.BaseDriver):
    """Puts what the serving folder has against the candidate among the execution's properties, and
    which examples the other models have seen.

    They are part of the execution's key in TFX's cache: a verdict of earlier is taken over only
    where nothing was pushed or rolled back since that would change it.
    """

    def __init__(self, connection: metadata.Metadata):
        # The first base is what a component may name, the second what the launcher calls.
        dsl_base_driver.BaseDriver.__init__(self, connection)
        self._connection = connection

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns `OLDER_THAN_SERVED`, `WITHDRAWN` and `SEEN_BY`; all else stays as it is."""
        output = driver_output_pb2.DriverOutput()
        inputs, properties = execution_info.input_dict, execution_info.exec_properties
        output.exec_properties[OLDER_THAN_SERVED].string_value = _older(
            properties.get(PUSH_TO),
            # With a window these test, and the others do not.
            inputs.get("test_examples") or inputs.get("examples", []),
        )
        (model,) = inputs["model"]
        output.exec_properties[WITHDRAWN].string_value = withdrawn_words(model) or ""
        others = {name: inputs[key][0].id for name, key in _OTHERS.items() if inputs.get(key)}
        if others and inputs.get("examples"):
            with self._connection as handle:
                told = seen_by_models(handle.store, others, bool(inputs.get("test_examples")))
            output.exec_properties[SEEN_BY].string_value = told
        return output


def _older(push_to: str | None, examples: list[types.Artifact]) -> str:
    if not push_to or not examples:
        return ""
    seen = [SeenExamples.load(artifact) for artifact in examples]
    candidate = PushLineage(tested_on=spans_of(seen), tested_until=tested_until(seen))
    return older_span(candidate, serving_version(push_to)) or ""
