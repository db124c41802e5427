"""Which spans of the logs a run trained and tested on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # It takes seconds to import.
    import ml_metadata

#: Property of an Examples artifact with the number of its span, as TFX has it.
_SPAN = "span"
#: Outputs, of whichever node, that name the examples of a role; without them all are one.
_ROLES = {"train": "train_examples", "test": "test_examples"}


def spans_of_run(
    store: "ml_metadata.MetadataStore",
    outputs: Mapping[str, Mapping[str, Sequence[str]]],
    paths: Sequence[str],
) -> dict[str, Any] | None:
    """The spans' numbers by role, for ``run.json``.

    Args:
        store: the metadata store.
        outputs: URIs by node and output name, of the nodes that have run.
        paths: `data.path`, as the experiment has it.

    Returns:
        ``train`` and ``test``, numbers in ascending order, and ``days``, whether a number is that
        of a day; None where the logs have no spans, or nothing was ingested.
    """
    if not any("{" in path for path in paths):
        return None
    by_role = {
        role: [uri for names in outputs.values() for uri in names.get(name, ())]
        for role, name in _ROLES.items()
    }
    if not any(by_role.values()):
        read = [uri for names in outputs.values() for uri in names.get("examples", ())]
        by_role = dict.fromkeys(_ROLES, read)
    uris = sorted({uri for found in by_role.values() for uri in found})
    numbers = _numbers(store, uris) if uris else {}
    if not numbers:
        return None
    spans = {role: sorted({numbers[u] for u in by_role[role] if u in numbers}) for role in _ROLES}
    return {**spans, "days": any("{DD}" in path for path in paths)}


def _numbers(store: "ml_metadata.MetadataStore", uris: Sequence[str]) -> dict[str, int]:
    """The number of each artifact's span."""
    found = {}
    for uri in uris:
        for artifact in store.get_artifacts_by_uri(uri):
            number = _number(artifact)
            if number is not None:
                found[uri] = number
    return found


def _number(artifact: Any) -> int | None:
    """TFX writes it as a text, or as a number; as the type's own property, or beside."""
    for properties in (artifact.custom_properties, artifact.properties):
        if _SPAN in properties:
            value = properties[_SPAN]
            text = value.string_value
            return int(text) if text else int(value.int_value)
    return None
