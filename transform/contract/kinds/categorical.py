"""A value out of a set."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pydantic

from mtlx.transform.contract.kinds.ids import IdKind, Vocabulary
from mtlx.transform.contract.kinds.kind import VocabularySize
from mtlx.transform.contract.kinds.pretrained import Pretrained
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInput

if TYPE_CHECKING:
    from mtlx.transform.contract.data_contract import ContractSections


class CategoricalFeature(IdKind):
    """A value out of a set, read as text. Either a vocabulary (default) or hashing.

    Attributes:
        column: column of the log; the feature's name if None.
        vocabulary: ids by frequency.
        hash_buckets: ids by a stable hash of the text, instead of a vocabulary.
        embed: False keeps the column for splitting, slicing or grouping only (say a user id).
        pretrained: vectors of the vocabulary's values, learnt elsewhere.
        serve_as: known only when training (the position that a row was shown at): the served
            model does not ask for it, and takes this value for it in every row; a text or a
            whole number.
        dropped: likewise, but the served model takes it for missing.
    """

    added: ClassVar[tuple[str, ...]] = ("pretrained", "serve_as", "dropped", "multiple")

    kind: Literal["categorical"]
    column: str | None = None
    vocabulary: Vocabulary = Vocabulary()
    hash_buckets: pydantic.PositiveInt | None = None
    embed: bool = True
    multiple: Literal[False] = False
    pretrained: Pretrained | None = None
    serve_as: str | None = None
    dropped: bool = False

    @pydantic.field_validator("serve_as", mode="before")
    @classmethod
    def _a_text(cls, value: Any) -> Any:
        if value is None or isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise ValueError(
            "serve_as of a categorical feature is a text that is not empty, or a whole number (to "
            f"serve it as missing set dropped: true). Received: {value!r}"
        )

    @pydantic.model_validator(mode="after")
    def _one_way_to_serve(self) -> "CategoricalFeature":
        if self.dropped and self.serve_as is not None:
            raise ValueError("give either 'serve_as' or 'dropped', not both")
        return self

    @property
    def is_read(self) -> bool:
        """See `FeatureKind`."""
        return self.embed

    @property
    def is_training_only(self) -> bool:
        """See `FeatureKind`."""
        return self.dropped or self.serve_as is not None

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`."""
        return 8 if self.embed else 0

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        return f"categorical ({self.ids_form if self.embed else 'embed: false'})"

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """See `FeatureKind`."""
        if not self.embed:
            return []
        return [CategoricalInput(name, self.cardinality(name, vocabulary_size), self.table)]
