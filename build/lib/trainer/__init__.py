"""Floor 1: from transformed examples to a SavedModel."""

import os

# Keras 3 for every library of this process; TFT would otherwise choose Keras 2 when imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")
