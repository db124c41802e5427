"""What became of a run's model, for whoever is told that the run failed."""

import os
from collections.abc import Mapping, Sequence

from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment


def fate_of_model(
    experiment: Experiment, outputs: Mapping[str, Mapping[str, Sequence[str]]], pusher_ran: bool
) -> tuple[str, str | None]:
    """Says what became of the model, and where it was pushed to.

    The serving folder is asked, not the metadata: the disk may have been full for these.

    Args:
        experiment: that was run.
        outputs: URIs by node and output name, of the nodes that ended well.
        pusher_ran: whether Pusher was at work, however it ended.
    """
    push_to = experiment.serving.push_to
    if not pusher_ran or push_to is None:
        return "The model was not pushed.", None
    from tfx.utils import path_utils

    from mtlx.components.model_pusher.serving_folder.push import served_as

    base = absolute(push_to)
    model = path_utils.serving_model_path(outputs["Trainer"]["model"][0])
    if "ServingCheck" in outputs:
        with_warm_up = path_utils.stamped_model_path(outputs["ServingCheck"]["infra_blessing"][0])
        model = with_warm_up if os.path.isdir(with_warm_up) else model
    try:
        version = served_as(model, base)
    except OSError as error:
        return f"Whether the model was pushed is not known; look into {base}: {error}", None
    if version is None:
        return "The model was not pushed.", None
    return f"The model was pushed: {version.path}", version.path
