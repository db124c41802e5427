"""Shows a network every task's own input in turn, and reads each task's output from its own."""

from collections.abc import Callable

import keras
from keras import ops

from mtlx.trainer.layers.gate_outputs import CONTRIBUTIONS, GATES

Outputs = dict[str, keras.KerasTensor]


def with_task_inputs(
    network: Callable[..., Outputs],
    task_names: list[str],
    fields: keras.KerasTensor,
    field_ids: keras.KerasTensor,
    domain_ids: keras.KerasTensor,
    training: bool,
) -> Outputs:
    """Runs a network whose weights are the same for every task's input.

    The T inputs of a row become T rows of one batch: one pass, no loop over tasks.

    Args:
        network: takes fields ``(B, F, k)``, as described in `mtlx.trainer.networks.network`.
        task_names: of the T tasks.
        fields: ``(B, T, F, k)``.
        field_ids: ``(B, C)``.
        domain_ids: ``(B,)``.
        training: is passed on.

    Returns:
        The network's outputs for B rows: "gates/<task>" and "contributions/<task>" from that
        task's input; of every other output, which must be ``(B, T, ...)``, each task's part
        from its own input.
    """
    tasks = len(task_names)
    outputs = network(
        ops.reshape(fields, (-1, *fields.shape[2:])),
        ops.repeat(field_ids, tasks, axis=0),
        ops.repeat(domain_ids, tasks, axis=0),
        training=training,
    )
    own: Outputs = {}
    for name, values in outputs.items():
        values = ops.reshape(values, (-1, tasks, *values.shape[1:]))  # (B, input, ...)
        if name.startswith((GATES, CONTRIBUTIONS)):
            own[name] = values[:, task_names.index(name.partition("/")[2])]
        else:
            parts = [values[:, task, task] for task in range(tasks)]
            own[name] = ops.stack(parts, axis=1)
    return own
