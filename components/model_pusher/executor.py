"""Executor of `ModelPusher`: the stock one's rules on what is pushed, a push that is whole."""

from typing import Any

from absl import logging
from tfx import types
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from mtlx.components.model_pusher.lineage_of_push import lineage_of_push
from mtlx.components.model_pusher.model_files import copy_model
from mtlx.components.model_pusher.older_span import older_span
from mtlx.components.model_pusher.serving_folder.push import push
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion, PushFailed
from mtlx.components.model_pusher.serving_folder.versions import serving_version
from mtlx.components.model_pusher.withdrawn import withdrawn_words
from mtlx.components.serving_check.infra_blessing import model_with_warm_up

Artifacts = dict[str, list[types.Artifact]]


class Executor(executor.Executor):
    """Pushes where the blessings allow it; see `ModelPusher`."""

    def GetModelPath(self, input_dict: Artifacts) -> str:  # noqa: N802 (TFX's name)
        """The model with warm-up requests, where the serving check left one; else the Trainer's."""
        for infra_blessing in input_dict.get(standard_component_specs.INFRA_BLESSING_KEY, []):
            if path := model_with_warm_up(infra_blessing):
                return path
        return str(super().GetModelPath(input_dict))

    def Do(  # noqa: N802 (TFX's name)
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Pushes the model, or says that it was not pushed.

        Args:
            input_dict: ``model`` and, each optional, ``model_blessing``, ``infra_blessing``,
                ``train_examples``, ``test_examples``, ``evaluation``, ``schema``.
            output_dict: ``pushed_model``.
            exec_properties: ``push_destination``, JSON of a `PushDestination`, and
                ``allow_older_span``.

        Raises:
            PushFailed: no version holds the model; what of it was written is removed. Also where
                the newest version, of a push since the gate's decision, is of a newer span, or
                where a roll back withdrew the model.
            NotImplementedError: the destination is no folder, or asks for time stamps.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed_model = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed_model)
            logging.info("Not pushed: the model was not blessed by the gate and the serving check")
            return
        base = _folder(exec_properties[standard_component_specs.PUSH_DESTINATION_KEY])
        model = self.GetModelPath(input_dict)
        withdrawn = [words for given in input_dict["model"] if (words := withdrawn_words(given))]
        if withdrawn:
            raise PushFailed(f"nothing was pushed to {base}: {withdrawn[0]}")
        info = self._context.pipeline_info if self._context else None
        lineage = lineage_of_push(input_dict, info.id if info else None)
        order = PushOrder(
            self._context.pipeline_run_id if self._context else None,
            lineage,
            # Not its copy with warm-up requests: by this one the metadata store knows the model.
            model=str(super().GetModelPath(input_dict)),
            before=_no_older_span(base, lineage, bool(exec_properties.get("allow_older_span"))),
        )
        try:
            # The artifact's own copy first: a disk that is full for it keeps the model unpushed.
            copy_model(model, pushed_model.uri)
            version = push(model, base, order=order)
        except OSError as error:
            raise PushFailed(f"nothing was pushed to {base}: {error}") from error
        self._MarkPushed(pushed_model, version.path, str(version.number))
        words = "Pushed to %s" if version.is_new else "The newest version holds this model: %s"
        logging.info(words, version.path)


def _no_older_span(base: str, lineage: PushLineage, allowed: bool) -> Any:
    """What refuses, right before a version is seen, one that is older than what serves then.

    The gate asks as well, so that its verdict says it; but another run may push in between, and
    the stock Evaluator in its place does not ask.
    """

    def refuse(newest: PushedVersion | None) -> None:
        if newest is None or allowed:
            return
        words = older_span(lineage, serving_version(base))
        if words is not None:
            raise PushFailed(
                f"nothing was pushed to {base}: {words}; if that is meant, run again with --set "
                "gate.allow_older_span=true"
            )

    return refuse


def _folder(destination_json: str) -> str:
    """The serving folder of a destination.

    Raises:
        NotImplementedError: see `Executor.Do`.
    """
    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(destination_json, destination)
    kind = destination.WhichOneof("destination")
    if kind != "filesystem":
        raise NotImplementedError(f"ModelPusher pushes to a filesystem. Received: {kind}")
    if destination.filesystem.versioning == pusher_pb2.Versioning.UNIX_TIMESTAMP:
        raise NotImplementedError(
            "ModelPusher numbers versions by counting on, since a clock may be set back: leave "
            "versioning out"
        )
    return destination.filesystem.base_directory
