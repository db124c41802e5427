"""Driver of `ModelPusher`: TFX's cache may not answer for it."""

import uuid

from tfx.dsl.components.base import base_driver as dsl_base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2

#: Execution property that differs every time; an execution's key in the cache is made of all.
LOOK = "look"


class Driver(dsl_base_driver.BaseDriver, base_driver.BaseDriver):
    """Has the serving folder looked at in every run.

    The cache knows inputs and settings, not what became of the serving folder: after a push of
    another model, or with the version removed, it would say "pushed" of a model that is not there.
    The push itself finds by the digest that a model is the newest version already.
    """

    def __init__(self, connection: metadata.Metadata):
        # The first base is what a component may name, the second what the launcher calls.
        dsl_base_driver.BaseDriver.__init__(self, connection)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the execution's properties and outputs as they are, but for `LOOK`."""
        del execution_info
        output = driver_output_pb2.DriverOutput()
        output.exec_properties[LOOK].string_value = uuid.uuid4().hex
        return output
