"""Reads Parquet in a process of its own, which a damaged file may crash, and hands over columns.

Run as a module, this file is that process. It ends when nobody asks, and with its parent, whose
end of the connection closes then.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Pipe
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

# Arrow 10 would run code that a file brings along (CVE-2023-47248).
import pyarrow_hotfix  # noqa: F401

from mtlx.components.log_example_gen.readers.reader import Reader

_BATCH_ROWS = 65_536

#: After so many seconds without a request the process ends.
_IDLE_SECONDS = 20.0

#: What the process sends: parts of an answer, each behind a message; then the end, or an error.
_PART, _END, _ERROR = b"part", b"end", b"error"


class FileDescription(TypedDict):
    """What a file's footer says.

    Attributes:
        columns: their names.
        nested: by name the types of columns that are neither values nor lists of values.
        rows: the number in each row group.
    """

    columns: list[str]
    nested: dict[str, str]
    rows: list[int]


class Unreadable(ValueError):
    """The file cannot be read: what Arrow said, or how it crashed."""


class ParquetProcess:
    """The parent's side; see `borrow`."""

    _idle: list["ParquetProcess"] = []
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._connection, end = Pipe()
        self._asked = False
        with end:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(end.fileno())],
                pass_fds=[end.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # A Ctrl-C in a terminal reaches all processes of its session; the parent decides.
                start_new_session=True,
            )

    @classmethod
    @contextlib.contextmanager
    def borrow(cls) -> Iterator["ParquetProcess"]:
        """Lends a process; idle ones are kept, since to start one takes a third of a second."""
        process = cls._answering() or cls()
        try:
            yield process
        finally:
            if process._asked:  # Given up in the middle of an answer, or crashed.
                process.close()
            else:
                with cls._lock:
                    cls._idle.append(process)

    @classmethod
    def _answering(cls) -> "ParquetProcess | None":
        """An idle process that still answers."""
        while True:
            with cls._lock:
                if not cls._idle:
                    return None
                process = cls._idle.pop()
            try:
                list(process._ask("greet"))
                return process
            except Unreadable:  # It had been idle for too long.
                process.close()

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def describe(self, file: str) -> FileDescription:
        """Reads the footer.

        Returns:
            What it says of columns and rows.

        Raises:
            Unreadable: no Parquet file.
        """
        return json.loads(b"".join(self._ask("describe", file)))

    def read(self, file: str, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Reads columns of a row group of the file described last, in batches.

        Text that is no UTF-8 comes as a column of bytes.

        Raises:
            Unreadable: a page is damaged.
        """
        for content in self._ask("read", file, group, columns):
            yield pa.ipc.open_stream(content).read_next_batch()

    def _ask(self, *request: object) -> Iterator[bytes]:
        """The parts of the answer to a request."""
        self._asked = True
        try:
            self._connection.send_bytes(json.dumps(request).encode())
            while (message := self._connection.recv_bytes()) == _PART:
                yield self._connection.recv_bytes()
            text = self._connection.recv_bytes() if message == _ERROR else None
        except (EOFError, OSError) as error:
            code = self._process.wait()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise Unreadable(f"it is damaged so that Arrow's reader crashed ({how})") from error
        self._asked = False
        if text is not None:
            raise Unreadable(text.decode())


# A forked process has no part in the conversations of its parent.
os.register_at_fork(after_in_child=lambda: ParquetProcess._idle.clear())


class _Server:
    """The process' side."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._file: tuple[str, pyarrow.parquet.ParquetFile] | None = None

    def serve(self) -> None:
        """Answers until nobody asks or the parent is gone."""
        while self._connection.poll(_IDLE_SECONDS):
            kind, *arguments = json.loads(self._connection.recv_bytes())
            answer: Callable[..., Iterator[bytes]] = getattr(self, f"_{kind}")
            try:
                for part in answer(*arguments):
                    self._connection.send_bytes(_PART)
                    self._connection.send_bytes(part)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:  # Whatever is raised, it is about the file.
                self._connection.send_bytes(_ERROR)
                self._connection.send_bytes(_one_line(error).encode("utf-8", "replace"))
            else:
                self._connection.send_bytes(_END)

    def _greet(self) -> Iterator[bytes]:
        yield from ()

    def _describe(self, file: str) -> Iterator[bytes]:
        self._file = None
        parquet = pyarrow.parquet.ParquetFile(Reader.open(file))
        self._file = file, parquet
        groups = range(parquet.num_row_groups)
        schema = parquet.schema_arrow
        found = {
            "columns": schema.names,
            "nested": {field.name: str(field.type) for field in schema if _is_nested(field.type)},
            "rows": [parquet.metadata.row_group(group).num_rows for group in groups],
        }
        yield json.dumps(found).encode()

    def _read(self, file: str, group: int, columns: list[str]) -> Iterator[bytes]:
        if self._file is None or self._file[0] != file:
            raise ValueError(f"{file} was not described")
        parquet = self._file[1]
        batches = parquet.iter_batches(
            _BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False
        )
        for batch in batches:
            arrays = [_sound(batch.column(name)) for name in columns]
            batch = pa.RecordBatch.from_arrays(arrays, columns)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            yield sink.getvalue()


def _one_line(error: Exception) -> str:
    """An error's text without what a damaged file may have put into it."""
    text = "".join(mark if mark.isprintable() else " " for mark in str(error))
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(" .:")


def _is_nested(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.types.is_nested(kind.value_type)
    return pa.types.is_nested(kind)


def _sound(values: pa.Array) -> pa.Array:
    """A column whose inner structure is right, whatever the file holds.

    Raises:
        pa.ArrowInvalid: it can't be.
    """
    try:
        values.validate(full=True)
        return values
    except pa.ArrowInvalid:
        if pa.types.is_dictionary(values.type):
            values.indices.validate(full=True)
            values = values.dictionary_decode()
        values = pc.cast(values, _as_bytes(values.type))
        values.validate(full=True)
        return values


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """The type of texts, or of lists of texts, that need be no UTF-8."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_as_bytes(kind.value_type))
    return pa.binary() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else kind


if __name__ == "__main__":
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _Server(Connection(int(sys.argv[1]))).serve()
