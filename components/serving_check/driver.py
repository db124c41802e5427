"""Driver of `ServingCheck`: TFX's cache repeats what passed, and never a refusal."""

import uuid

from tfx.dsl.components.base import base_driver as dsl_base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import standard_artifacts

from mtlx.components.serving_check.infra_blessing import was_refused

#: Execution property that differs every time where a refusal is known; an execution's key in the
#: cache is made of all.
LOOK = "look"


class Driver(dsl_base_driver.BaseDriver, base_driver.BaseDriver):
    """Has a model served on trial again that was refused before.

    A machine may have been out of memory or busy with other things; the next run looks again.
    """

    def __init__(self, connection: metadata.Metadata):
        # The first base is what a component may name, the second what the launcher calls.
        dsl_base_driver.BaseDriver.__init__(self, connection)
        self._connection = connection

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the execution's properties and outputs as they are, but for `LOOK`."""
        models = {model.id for model in execution_info.input_dict.get("model", [])}
        kind = standard_artifacts.InfraBlessing.TYPE_NAME
        with self._connection as handle:
            history = handle.store.get_artifacts_by_type(kind)
        again = any(was_refused(blessing, models) for blessing in history)
        output = driver_output_pb2.DriverOutput()
        output.exec_properties[LOOK].string_value = uuid.uuid4().hex if again else ""
        return output
