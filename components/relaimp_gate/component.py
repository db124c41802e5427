"""TFX component: lets a candidate through only if every threshold is met on every slice."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from mtlx.components.relaimp_gate import driver, executor
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract


def _optional(kind: type[types.Artifact]) -> component_spec.ChannelParameter:
    return component_spec.ChannelParameter(type=kind, optional=True)


class RelaImpGateSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `RelaImpGate`."""

    PARAMETERS = {
        "gate": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "serving_check": component_spec.ExecutionParameter(type=int, optional=True),
        driver.PUSH_TO: component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        **dict.fromkeys(
            ("baseline_model", "served_model", "anchor_model"), _optional(standard_artifacts.Model)
        ),
        **dict.fromkeys(("examples", "test_examples"), _optional(standard_artifacts.Examples)),
    }
    OUTPUTS = {
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class RelaImpGate(base_component.BaseComponent):
    """Blesses the candidate or not; takes the stock Evaluator's place before Pusher.

    The blessing carries the files and custom properties that the stock Pusher and
    `LatestBlessedModelStrategy` read; beside them stands ``verdict.json``, a `Verdict`.

    Args:
        evaluation: of the component `SliceEvaluation`.
        model: the candidate that was evaluated.
        gate: JSON of `GateSettings`, or a runtime parameter.
        data_contract: JSON of a `DataContract`, or a runtime parameter.
        baseline_model: optional, the model blessed last (or a given one), to be noted in the
            blessing; the channel may be empty. Which models are compared is up to the
            evaluation; one that lacks this model is refused.
        examples: optional, of this run. With it the verdict says which model has seen which rows.
        served_model: optional, the one that the candidate would replace, blessed last: a candidate
            that was tested on an older span is held back; the channel may be empty.
        anchor_model: optional; the channel may be empty.
        test_examples: optional, with a window: those of this run that test as a whole, while
            `examples` train.
        serving_check: whether the model has to pass a `ServingCheck` as well before it is anybody's
            baseline; noted in the blessing.
        push_to: optional, the serving folder: a candidate that was tested on an older span than
            its newest version is held back.

    Raises:
        ValidationError: the settings are wrong.
    """

    SPEC_CLASS = RelaImpGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        evaluation: types.BaseChannel,
        model: types.BaseChannel,
        gate: str | data_types.RuntimeParameter,
        data_contract: str | data_types.RuntimeParameter,
        baseline_model: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
        served_model: types.BaseChannel | None = None,
        anchor_model: types.BaseChannel | None = None,
        test_examples: types.BaseChannel | None = None,
        serving_check: bool = False,
        push_to: str | None = None,
    ):
        if isinstance(gate, str):
            GateSettings.from_json(gate)
        if isinstance(data_contract, str):
            DataContract.from_json(data_contract)
        super().__init__(
            spec=RelaImpGateSpec(
                evaluation=evaluation,
                model=model,
                baseline_model=baseline_model,
                examples=examples,
                served_model=served_model,
                anchor_model=anchor_model,
                test_examples=test_examples,
                gate=gate,
                serving_check=int(serving_check),
                data_contract=data_contract,
                push_to=push_to,
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
