"""What the examples of a run hold: by the data contract, and by a look at the first of them."""

import tensorflow as tf

from mtlx.components.example_batches import serialized_batches
from mtlx.components.slice_evaluation.models.model_reads import (
    NUMBER,
    TEXT,
    WHOLE_NUMBER,
    FeatureForm,
    form_of,
)
from mtlx.transform.contract.data_contract import DataContract

_FORMS = {"bytes_list": TEXT, "float_list": NUMBER, "int64_list": WHOLE_NUMBER}
#: Examples that are looked at: for columns beside the contract's, and other example generators.
LOOKED_AT = 256


def held_features(contract: DataContract, examples: list[bytes]) -> dict[str, FeatureForm]:
    """Returns the features by name.

    Args:
        contract: of the run. Its features are held even where no example has a value.
        examples: serialised ones, a few.
    """
    held = {name: FeatureForm(form_of(f), f.kind) for name, f in contract.features.items()}
    held |= {task.label: FeatureForm(WHOLE_NUMBER, "label") for task in contract.task_specs}
    for serialized in examples:
        for name, values in tf.train.Example.FromString(serialized).features.feature.items():
            kind = values.WhichOneof("kind")
            if kind is not None and getattr(values, kind).value:
                known = held.get(name)
                held[name] = FeatureForm(_FORMS[kind], known.kind if known else None)
    return held


def first_examples(files: list[str]) -> list[bytes]:
    """Reads the first `LOOKED_AT` examples of a split, fewer where it has fewer."""
    batches = serialized_batches(files, LOOKED_AT).take(1)
    return [example for batch in batches for example in batch.numpy()]
