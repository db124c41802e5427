"""Vectors that a vocabulary's values come with."""

import pydantic

from mtlx.transform.config.settings import Settings


class Pretrained(Settings):
    """A table of vectors, learnt elsewhere, of the values of a vocabulary.

    A value that the table holds is its vector, projected to the width of all fields by weights that
    are trained; any other value has a row of the model's own table, as all have without this.
    Values of the table that the vocabulary lacks are passed over.

    Attributes:
        path: of a Parquet file with a text column ``value``, each once, and a list column
            ``vector``, all of one length; a relative path starts from the experiment file's folder.
            Give another content another name: a run takes over what it made of the old one.
        size: numbers of each vector.
        trainable: whether the vectors are trained further, or kept as they are.
    """

    path: str
    size: pydantic.PositiveInt
    trainable: bool = False
