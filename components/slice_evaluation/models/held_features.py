"""What the examples of a run hold: by the data contract, and by a look at the first of them."""

from collections.abc import Iterable

import tensorflow as tf

from mtlx.components.example_batches import (
    contract_columns,
    label_columns,
    read_batches,
    serialized_batches,
)
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
#: Rows that are read at once where the first of them did not tell.
_BATCH_ROWS = 8192


def held_features(contract: DataContract, examples: list[bytes]) -> dict[str, FeatureForm]:
    """Returns the features by name.

    Args:
        contract: of the run. Its features are held even where no example has a value.
        examples: serialised ones, a few.
    """
    held = {name: FeatureForm(form_of(f), f.held_as) for name, f in contract.features.items()}
    held |= {
        name: FeatureForm(NUMBER if dtype == tf.float32 else WHOLE_NUMBER, "label")
        for name, dtype in label_columns(contract).items()
    }
    for serialized in examples:
        for name, values in tf.train.Example.FromString(serialized).features.feature.items():
            if _has_value(values):
                kind, known = values.WhichOneof("kind"), held.get(name)
                held[name] = FeatureForm(_FORMS[kind], known.kind if known else None)
    return held


def first_examples(files: list[str]) -> list[bytes]:
    """Reads the first `LOOKED_AT` examples of a split, fewer where it has fewer."""
    batches = serialized_batches(files, LOOKED_AT).take(1)
    return [example for batch in batches for example in batch.numpy()]


def without_values(
    contract: DataContract, names: Iterable[str], examples: list[bytes], files: list[str]
) -> set[str]:
    """Which features of the contract have no value in any example.

    Args:
        contract: of the run.
        names: of the features to look for; others than the contract's are passed over.
        examples: the first of the files; what has a value there is not looked for any further.
        files: of the split, read as far as it takes, which for most features is nowhere.
    """
    kinds = {name: dtype.name for name, dtype in contract_columns(contract).items()}
    missing = {name for name in names if name in contract.features}
    for serialized in examples:
        if not missing:
            return missing
        features = tf.train.Example.FromString(serialized).features.feature
        missing -= {name for name in missing if name in features and _has_value(features[name])}
    if not missing:
        return missing
    try:
        for batch in read_batches(files, {name: kinds[name] for name in missing}, _BATCH_ROWS):
            columns = zip(batch.schema.names, batch.columns, strict=True)
            missing -= {name for name, column in columns if column.null_count < len(column)}
            if not missing:
                break
    except tf.errors.InvalidArgumentError:
        # A value of another type than the contract's: there are values.
        return set()
    return missing


def _has_value(feature: tf.train.Feature) -> bool:
    kind = feature.WhichOneof("kind")
    return kind is not None and bool(getattr(feature, kind).value)
