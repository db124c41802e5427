"""Driver of `OnePassTransform`: finds out which labels count, which ML-Metadata alone tells."""

from tfx.dsl.components.base import base_driver as dsl_base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2

from mtlx.components.lineage.labels_left_out import (
    LABELS_PROPERTY,
    LabelUse,
    labels_left_out,
    learnt_labels,
)
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.transform.contract.contract_property import contract_of


class Driver(dsl_base_driver.BaseDriver, base_driver.BaseDriver):
    """Puts the labels that do not count among the execution's properties.

    They are part of the execution's key in TFX's cache: the same examples a day later, when more
    is known of them, are transformed anew.
    """

    def __init__(self, connection: metadata.Metadata):
        # The first base is what a component may name, the second what the launcher calls.
        dsl_base_driver.BaseDriver.__init__(self, connection)
        self._connection = connection

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns `LABELS_PROPERTY`; all else stays as it is."""
        inputs, properties = execution_info.input_dict, execution_info.exec_properties
        contract = contract_of(properties)
        spans = [span for one in inputs["examples"] if (span := span_of(one)) is not None]
        tested = [span for one in inputs["newest_examples"] if (span := span_of(one)) is not None]
        learnt = None
        if properties.get("grow_vocabularies") and inputs.get("base_model"):
            with self._connection as handle:
                learnt = learnt_labels(handle.store, inputs["base_model"][0].id, contract)
        left_out = labels_left_out(contract, spans, max(tested), learnt)
        output = driver_output_pb2.DriverOutput()
        use = LabelUse(left_out, tuple(contract.tasks))
        output.exec_properties[LABELS_PROPERTY].string_value = use.text
        return output
