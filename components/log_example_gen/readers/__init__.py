"""Readers by the name used in `data.reader`."""

from mtlx.transform.config.registry import Registry

READERS = Registry(
    "reader",
    {
        "ali_ccp": "mtlx.components.log_example_gen.readers.data_sets.ali_ccp:AliCCP",
        "aliexpress": "mtlx.components.log_example_gen.readers.data_sets.aliexpress:AliExpress",
        "census_income": "mtlx.components.log_example_gen.readers.census_income:CensusIncome",
        "csv": "mtlx.components.log_example_gen.readers.csv:Csv",
        "movielens_1m": "mtlx.components.log_example_gen.readers.movielens_1m:MovieLens1M",
        "parquet": "mtlx.components.log_example_gen.readers.parquet:Parquet",
        "tenrec": "mtlx.components.log_example_gen.readers.data_sets.tenrec:Tenrec",
    },
)
