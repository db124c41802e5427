"""Census-Income (KDD), in its official layout."""

import os
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from components.log_example_gen.readers.reader import Reader, Rows, Shard
from components.log_example_gen.readers.text_table import read_text_table

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

#: Marker of a missing value. Hispanic origin also has a category "NA", which is one.
MISSING = "?"


class CensusIncome(Reader):
    """``census-income.data`` (training) and ``census-income.test``, plain or gzip.

    Gives the 40 features under the names in `FIELDS`, without the instance weight, and two
    labels: ``income`` (more than 50,000 dollars) and ``never_married``, which is derived from
    ``marital_status``; that column must then be no feature.
    """

    address = ADDRESS

    def patterns(self, path: str) -> list[str]:
        """The two files in the folder."""
        return [os.path.join(path, f"census-income.{part}*") for part in ("data", "test")]

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,) = shard.files
        offered = [name for name in FIELDS if name not in ("instance_weight", "total_income")]
        self.check_columns(file, columns, [*offered, "income", "never_married"])
        rows = read_text_table(file, lambda: self.open(file), list(FIELDS), ",", False)
        for batch in rows:
            table = batch.columns
            values = {}
            for column in columns:
                if column == "income":
                    # "- 50000." and "50000+."
                    values[column] = self._flag(table["total_income"], "50000+.")
                elif column == "never_married":
                    values[column] = self._flag(table["marital_status"], "Never married")
                else:
                    text = pc.utf8_trim_whitespace(table[column])
                    missing = pc.equal(text, MISSING)
                    values[column] = pc.if_else(missing, pa.scalar(None, pa.string()), text)
            yield Rows(pa.table(values), batch.lines, batch.rejected)

    @staticmethod
    def _flag(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
        return pc.cast(pc.equal(pc.utf8_trim_whitespace(column), value), pa.int64())
