"""The sequence encoders' registry, with the option that all of them have: what they read."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from mtlx.transform.config.names import suggest
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs

#: ``"first"``, names of sequences, or None for all.
SequenceChoice = Literal["first"] | Annotated[list[str], Field(min_length=1)] | None

_OPTION = "sequences"
_FORMS = "should be 'first' (of the features), or a list of names"


class SequenceEncoderRegistry(Registry):
    """Registry of sequence encoders: builds each for the sequences that it is to read.

    Every encoder has the option `sequences`: names of the sequences that it reads, in the order
    of its interests; ``first`` for the first one of the data contract, for systems of one
    behaviour type; None for all. An encoder learns of no others, and nothing embeds those.
    """

    shared_options: Mapping[str, str] = {
        _OPTION: "names of the sequences that it reads; 'first' for the first of the features"
    }

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """Options of an encoder by name, `sequences` included where it reads any."""
        own = super().options(name)
        if not self.get(name).reads_sequences:
            return own
        kind = inspect.Parameter.KEYWORD_ONLY
        shared = inspect.Parameter(_OPTION, kind, default=None, annotation=SequenceChoice)
        return {_OPTION: shared, **own}

    def build(self, name: str, options: Mapping[str, Any], *context: Any) -> Any:
        """Builds an encoder for the sequences that `options` name.

        Args:
            name: the registered name.
            options: what the user set.
            *context: the model's inputs (`ModelInputs`), with all sequences.

        Raises:
            SettingsError: see `Registry.validate`; or an unknown sequence.
        """
        inputs: ModelInputs
        (inputs,) = context
        own = self.validate(name, options)
        known = {sequence.name: sequence for sequence in inputs.sequences}
        chosen = chosen_sequences(own.pop(_OPTION, None), list(known))
        if not self.get(name).reads_sequences:
            chosen = []
        read = replace(inputs, sequences=tuple(known[sequence] for sequence in chosen))
        return self.get(name)(read, **own)


def chosen_sequences(choice: Any, known: Sequence[str]) -> list[str]:
    """Names of the sequences that an encoder reads.

    Args:
        choice: the option `sequences`, which may be of a wrong type.
        known: names of all sequences of the data contract, in its order.

    Raises:
        SettingsError: no such sequence, one that is named twice, or a choice of the wrong type.
    """
    if choice is None:
        return list(known)
    if choice == "first":
        return list(known[:1])
    if not isinstance(choice, list) or not all(isinstance(name, str) for name in choice):
        raise SettingsError([((_OPTION,), f"{_FORMS}. Received: {choice!r}")])
    problems = [
        f"unknown sequence {name!r}, {suggest(name, known)}" for name in choice if name not in known
    ]
    problems += [
        f"sequence {name!r} is named twice"
        for name in dict.fromkeys(choice)
        if choice.count(name) > 1
    ]
    if not choice:
        problems.append("names no sequence: choose sequence_encoder 'none', which reads none")
    if problems:
        raise SettingsError([((_OPTION,), problem) for problem in problems])
    return list(choice)
