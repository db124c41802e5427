"""The texts that stand for missing values in the logs of an experiment."""

import pydantic

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.reader import MissingTexts, Reader
from mtlx.components.log_example_gen.settings import DataSettings

_TEXTS: pydantic.TypeAdapter[tuple[str, ...]] = pydantic.TypeAdapter(MissingTexts)


def missing_texts(data: DataSettings) -> tuple[str, ...]:
    """`missing` of the reader's options, or what the reader has without.

    An unknown reader or an option of the wrong type is refused where options are checked, and
    not here.
    """
    if "missing" in data.options:
        try:
            return _TEXTS.validate_python(data.options["missing"])
        except pydantic.ValidationError:
            return Reader.missing
    return READERS.get(data.reader).missing if data.reader in READERS else Reader.missing
