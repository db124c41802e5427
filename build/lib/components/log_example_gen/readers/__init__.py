"""Readers by the name used in `data.reader`."""

from transform.registry import Registry

READERS = Registry(
    "reader",
    {
        "census_income": "components.log_example_gen.readers.census_income:CensusIncome",
        "csv": "components.log_example_gen.readers.csv:Csv",
        "movielens_1m": "components.log_example_gen.readers.movielens_1m:MovieLens1M",
        "parquet": "components.log_example_gen.readers.parquet:Parquet",
    },
)
