"""Census-Income (KDD), in its official layout."""

import dataclasses
import os
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.readers.files import as_written, is_remote
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.readers.text_bytes import Encoding
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_table import read_text_table
from mtlx.components.log_example_gen.rejection import InputRefused

#: The 42 fields of ``census-income.data`` in their order, after ``census-income.names``.
FIELDS = (
    "age", "class_of_worker", "industry_code", "occupation_code", "education", "wage_per_hour",
    "enrolled_in_education", "marital_status", "major_industry", "major_occupation", "race",
    "hispanic_origin", "sex", "union_member", "reason_for_unemployment", "employment_status",
    "capital_gains", "capital_losses", "dividends", "tax_filer_status", "previous_region",
    "previous_state", "household_family_status", "household_summary", "instance_weight",
    "migration_code_msa", "migration_code_region", "migration_code_within_region",
    "same_house_a_year_ago", "migration_previous_sunbelt", "persons_worked_for_employer",
    "family_members_under_18", "birth_country_father", "birth_country_mother",
    "birth_country_self", "citizenship", "own_business", "veterans_questionnaire",
    "veterans_benefits", "weeks_worked", "year", "total_income",
)  # fmt: skip

#: Where the data set can be had.
ADDRESS = "https://archive.ics.uci.edu/dataset/117/census+income+kdd"

_NAMES = ("census-income.data", "census-income.test")

_INCOMES = {"- 50000.": "0", "50000+.": "1"}

_MARITAL_STATUSES = {
    "Divorced": "0",
    "Married-A F spouse present": "0",
    "Married-civilian spouse present": "0",
    "Married-spouse absent": "0",
    "Never married": "1",
    "Separated": "0",
    "Widowed": "0",
}

#: Marker of a missing value. Hispanic origin also has a category "NA", which is one.
MISSING = "?"


class CensusIncome(Reader):
    """``census-income.data`` (training) and ``census-income.test``, plain or gzip.

    Gives the 40 features under the names in `FIELDS`, without the instance weight, and two
    labels: ``income`` (more than 50,000 dollars) and ``never_married``, which is derived from
    ``marital_status``; that column must then be no feature.

    Args:
        encoding: of the text.
    """

    address = ADDRESS
    alternatives = True
    missing = ("", MISSING)

    def __init__(self, *, encoding: Encoding = "utf-8") -> None:
        self._layout = TextLayout(",", FIELDS, quoted=False, encoding=encoding)

    def patterns(self, path: str) -> list[str]:
        """The two files in the folder, unpacked or not."""
        folder = path if is_remote(path) else as_written(path)
        return [os.path.join(folder, name + ending) for name in _NAMES for ending in ("", ".gz")]

    def shards(self, files: list[str]) -> list[Shard]:
        """The two files of each folder; one that lies there twice, packed too, is read once."""
        shards = []
        for folder in dict.fromkeys(os.path.dirname(file) for file in files):
            for name in _NAMES:
                path = os.path.join(folder, name)
                found = [file for file in (path, f"{path}.gz") if file in files]
                if not found:
                    raise InputRefused(
                        f"{folder}: {name} (or {name}.gz) is missing; get Census-Income (KDD) "
                        f"from {ADDRESS} and put both parts there"
                    )
                shards.append(Shard((found[0],)))
        return shards

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,) = shard.files
        offered = [name for name in FIELDS if name not in ("instance_weight", "total_income")]
        self.check_columns(file, columns, [*offered, "income", "never_married"])
        sources = {"income": "total_income", "never_married": "marital_status"}
        needed = list(dict.fromkeys(sources.get(column, column) for column in columns))
        for batch in read_text_table(file, lambda: self.open(file), needed, self._layout):
            table = batch.columns
            values = {}
            for column in columns:
                if column == "income":
                    values[column] = _label(table["total_income"], _INCOMES)
                elif column == "never_married":
                    values[column] = _label(table["marital_status"], _MARITAL_STATUSES)
                else:
                    text = pc.utf8_trim_whitespace(table[column])
                    missing = pc.equal(text, MISSING)
                    values[column] = pc.if_else(missing, pa.scalar(None, pa.string()), text)
            yield dataclasses.replace(batch, columns=pa.table(values))


def _label(column: pa.ChunkedArray, labels: dict[str, str]) -> pa.ChunkedArray:
    """Labels as text; a value that has none stays as it is, to be refused with its line."""
    text = pc.utf8_trim_whitespace(column)
    index = pc.index_in(text, value_set=pa.array(list(labels)))
    return pc.coalesce(pc.take(pa.array(list(labels.values())), index), text)
