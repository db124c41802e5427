"""Where a base model keeps what a training needs that begins with it, without TensorFlow."""

#: Folder inside a SavedModel, which TensorFlow Serving leaves alone.
FOLDER = "assets.extra/mtlx"
#: The record's name: in `FOLDER` of a SavedModel, or in the folder of a checkpoint.
RECORD_FILE = "base_model.json"
#: The weights of a checkpoint.
CHECKPOINT_FILE = "checkpoint.npz"
