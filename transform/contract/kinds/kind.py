"""What every kind of feature answers, so that no room has to ask which kind it is."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.model_inputs import ModelInput

if TYPE_CHECKING:  # It reads the kinds.
    from mtlx.transform.contract.data_contract import ContractSections

#: Number of values in the vocabulary of a feature.
VocabularySize = Callable[[str], int]


class FeatureKind(Settings):
    """Base of all kinds; a new one is a file beside this one, and a line in `Feature`.

    Attributes:
        holds: what examples hold of it: texts or numbers.
        takes_one: whether a row has one value, and not a list.
        added: settings that JSON leaves out where they are not used, so that nothing of an earlier
            version is made anew.
    """

    holds: ClassVar[Literal["text", "number"]] = "text"
    takes_one: ClassVar[bool] = True
    added: ClassVar[tuple[str, ...]] = ()

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        for name in self.added:
            if getattr(self, name) == type(self).model_fields[name].default:
                values.pop(name, None)
        return values

    def parts(self, name: str) -> Mapping[str, "FeatureKind"]:
        """This feature, called `name`, as features of one column each, by their names."""
        return {name: self}

    @property
    def is_read(self) -> bool:
        """Whether a model reads it; else it is there for splitting, slicing or grouping only."""
        return True

    @property
    def is_training_only(self) -> bool:
        """Whether a served model is not given it: it is known only when rows are trained on."""
        return False

    @property
    def held_as(self) -> str:
        """What examples hold of it, in words: a model that reads it otherwise fails on them."""
        return str(getattr(self, "kind"))  # noqa: B009 (a field of every kind)

    @property
    def row_bytes(self) -> int:
        """Bytes of what a model is given of it, a row: ids int64, other numbers float32."""
        raise NotImplementedError

    def vocabulary_of(self, name: str) -> str | None:
        """Whose ids its values get: itself, called `name`, or another; None without ids."""
        return None

    @property
    def form(self) -> str:
        """What it is to a model, in words: a model with other weights has another form."""
        raise NotImplementedError

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """What a model is given of it, called `name`."""
        raise NotImplementedError


class ServedWithout(FeatureKind):
    """A kind that a served model may do without, where its setting `dropped` says so."""

    if TYPE_CHECKING:
        dropped: bool

    @property
    def is_training_only(self) -> bool:
        """See `FeatureKind`."""
        return self.dropped
