"""What the report says of logits that are corrected for negatives that were drawn."""

import math

from mtlx.transform.contract.model_inputs import TaskSpec


def correction_notes(tasks: tuple[TaskSpec, ...]) -> list[str]:
    """One line for each such task; none where all logits are the log's own.

    Args:
        tasks: of the model.
    """
    return [
        f"Task {task.name} learns from {task.kept_negatives:g} of its negatives as they are; "
        f"{math.log(task.kept_negatives):.4f} is added to its logit in validation and wherever it "
        "is served. Its training loss is that of the drawn rows."
        for task in tasks
        if task.kept_negatives < 1.0
    ]
