"""Why a node failed and whether a run's end was told: notes on the run's context in ML-Metadata.

TFX notes of a failed execution that it failed, not why; and a node that fails before its execution
begins, say at a day of its window, leaves none. The next task may run on another machine.
"""

import ml_metadata
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import context_lib

_RUN = "pipeline_run"
_FAILURE, _TOLD = "failure/", "told"
#: Characters of a failure's message that are kept.
_LONGEST = 2000


def note_failure(handle: metadata.Metadata, run_id: str, node_id: str, message: str) -> None:
    """Notes why a node failed; a note of an earlier attempt is replaced."""
    _note(handle, run_id, _FAILURE + node_id, message[:_LONGEST])


def failures(store: ml_metadata.MetadataStore, run_id: str) -> dict[str, str]:
    """Why nodes of a run failed, by node; some may have succeeded when they were tried again."""
    context = store.get_context_by_type_and_name(_RUN, run_id)
    if context is None:
        return {}
    return {
        name.removeprefix(_FAILURE): value.string_value
        for name, value in context.custom_properties.items()
        if name.startswith(_FAILURE)
    }


def claim_telling(handle: metadata.Metadata, run_id: str, outcome: str) -> bool:
    """Whether this end of a run has yet to be told; from now on it counts as told.

    A run that goes on after a failure ends once more, with another outcome.
    """
    context = context_lib.register_context_if_not_exists(handle, _RUN, run_id)
    if context.custom_properties[_TOLD].string_value == outcome:
        return False
    _note(handle, run_id, _TOLD, outcome)
    return True


def _note(handle: metadata.Metadata, run_id: str, name: str, text: str) -> None:
    context = context_lib.register_context_if_not_exists(handle, _RUN, run_id)
    context.custom_properties[name].string_value = text
    handle.store.put_contexts([context])
