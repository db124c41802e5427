"""The model of an exported SavedModel once more as layers: for who wants to see inside."""

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.warm_start.base_model import BaseModel, BaseModelError
from mtlx.transform.contract.model_inputs import ModelInputs


def rebuilt_model(folder: str, inputs: ModelInputs) -> Scorer:
    """Builds the model that was exported, with its weights; it predicts what is served.

    The exported graph computes nothing that serving does not need; the layers tell more (see
    `mtlx.trainer.layers.told`).

    Args:
        folder: as `BaseModel` takes it.
        inputs: of the transform that the model was trained on.

    Raises:
        BaseModelError: the folder holds no model of this release, or one for other inputs.
    """
    base = BaseModel(folder)
    model = build_model(inputs, base.record.model)
    weights = base.weights()
    names = weight_names(model.variables)
    for name, variable in zip(names, model.variables, strict=True):
        if name not in weights or weights[name].shape != tuple(variable.shape):
            raise BaseModelError(
                f"the model in {base.folder} has no weight {name} of shape "
                f"{tuple(variable.shape)}: it was trained on another transform, or is of another "
                "release"
            )
        variable.assign(weights[name])
    model.drop_training_parts()
    return model
