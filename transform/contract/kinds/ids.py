"""What kinds whose values get ids have in common."""

from typing import TYPE_CHECKING

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.kinds.kind import ServedWithout, VocabularySize
from mtlx.transform.contract.kinds.pretrained import Pretrained
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, PretrainedTable


class Vocabulary(Settings):
    """Ids by frequency in the training split.

    Attributes:
        top_k: at most so many values get an id; None for all.
        min_count: values seen less often have none (they are out of vocabulary).
    """

    top_k: pydantic.PositiveInt | None = None
    min_count: pydantic.PositiveInt = 1


class IdKind(ServedWithout):
    """Values out of a set. Either a vocabulary (default) or hashing.

    The settings stand in the kinds themselves, in the order in which they are written.
    """

    if TYPE_CHECKING:
        vocabulary: Vocabulary
        hash_buckets: int | None
        pretrained: Pretrained | None

    @pydantic.model_validator(mode="after")
    def _one_way_to_ids(self) -> "IdKind":
        if self.hash_buckets is not None and self.vocabulary != Vocabulary():
            raise ValueError("give either 'vocabulary' or 'hash_buckets', not both")
        if self.pretrained is not None and not self.has_vocabulary:
            raise ValueError(
                "pretrained vectors are of the values of a vocabulary: leave out hash_buckets and "
                "embed: false, or leave out pretrained"
            )
        return self

    @property
    def has_vocabulary(self) -> bool:
        """Whether its values are looked up."""
        return self.is_read and self.hash_buckets is None

    def vocabulary_of(self, name: str) -> str | None:
        """See `FeatureKind`."""
        return name

    def cardinality(self, name: str, vocabulary_size: VocabularySize) -> int:
        """Number of ids, the special ones included."""
        values = vocabulary_size(name) if self.hash_buckets is None else self.hash_buckets
        return FIRST_VALUE_ID + values

    @property
    def table(self) -> PretrainedTable | None:
        """What a model must know of the pretrained vectors."""
        if self.pretrained is None:
            return None
        return PretrainedTable(self.pretrained.size, self.pretrained.trainable)

    @property
    def ids_form(self) -> str:
        """How its values get ids and vectors, in words."""
        ids = f"hash_buckets: {self.hash_buckets}" if self.hash_buckets else "vocabulary"
        if self.pretrained is None:
            return ids
        kept = "trainable " if self.pretrained.trainable else ""
        return f"{ids}, {kept}pretrained vectors of {self.pretrained.size}"
