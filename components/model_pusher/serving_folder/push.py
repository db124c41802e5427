"""The push itself, into a folder or to a URI: whole, or not there."""

from mtlx.components.model_pusher.model_files import is_model, model_digest, model_files, same_model
from mtlx.components.model_pusher.serving_folder.files import is_remote
from mtlx.components.model_pusher.serving_folder.local_push import LocalPush
from mtlx.components.model_pusher.serving_folder.object_push import ObjectPush
from mtlx.components.model_pusher.serving_folder.push_order import PushOrder
from mtlx.components.model_pusher.serving_folder.pushed_version import PushedVersion, PushFailed


def push(
    model: str, base: str, run_id: str | None = None, order: PushOrder | None = None
) -> PushedVersion:
    """Makes a model the newest version in a serving folder, unless it is that already.

    Args:
        model: path or URI of a SavedModel.
        base: path or URI of the serving folder.
        run_id: of the run that pushes it; not read where there is an `order`.
        order: what is noted beside the model, and done before it is seen.

    Raises:
        PushFailed: no version holds the model.
        NoNumberLeft: versions have used up all numbers.
        OSError: the model cannot be read, or the serving folder not be written.
    """
    if not is_model(list(model_files(model))):
        raise PushFailed(f"{model} is no SavedModel: it holds no saved_model.pb")
    return _push_of(base).push(model, order or PushOrder(run_id))


def served_as(model: str, base: str) -> PushedVersion | None:
    """The newest version in a serving folder, where it holds this model.

    Args:
        model: path or URI of a SavedModel.
        base: path or URI of the serving folder.

    Raises:
        OSError: one of them cannot be read.
    """
    newest = _push_of(base).newest()
    if newest is None or not same_model(newest.path, model, model_digest(model)):
        return None
    return newest


def _push_of(base: str) -> LocalPush | ObjectPush:
    return ObjectPush(base) if is_remote(base) else LocalPush(base)
