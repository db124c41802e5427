"""Where the tables of `data.join` lie, and how they are read."""

from mtlx.components.log_example_gen.joins.join_settings import JoinSettings
from mtlx.components.log_example_gen.joins.joined_table import JoinedTable, table_of
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import matching_files
from mtlx.components.log_example_gen.readers.reader import Reader
from mtlx.components.log_example_gen.rejection import InputRefused


def read_table(join: JoinSettings, columns: list[str]) -> JoinedTable:
    """Reads the columns of a table that are wanted.

    Args:
        join: says where it is.
        columns: some of its own.

    Raises:
        InputRefused: no file, one that can't be read, a malformed line, parts whose types don't
            fit each other, or what `JoinedTable` refuses.
    """
    reader: Reader = READERS.build(join.reader, join.options)
    wanted = list(dict.fromkeys([join.key_in_table, *columns]))
    parts = [
        (shard.files[0], reader.read(shard, wanted)) for shard in reader.shards(table_files(join))
    ]
    return table_of(parts, join.key_in_table, columns)


def table_files(join: JoinSettings) -> list[str]:
    """The table's files.

    Raises:
        InputRefused: a path matches none.
    """
    reader = READERS.build(join.reader, join.options)
    files: list[str] = []
    for path in join.path:
        found = [file for pattern in reader.patterns(path) for file in matching_files(pattern)]
        if not found:
            raise InputRefused(
                f"data.join by {join.key!r}: no file matches {path}: check its path, and --data "
                "or MTLX_DATA for relative ones"
            )
        files += found
    return list(dict.fromkeys(files))
