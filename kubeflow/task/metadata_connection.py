"""The connection to ML-Metadata that a task finds in its environment."""

import time
from collections.abc import Mapping
from typing import TypeAlias

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from mtlx.kubeflow.task.transient_failure import TransientFailure

#: Any of the two messages with which ML-Metadata's client connects.
ConnectionConfig: TypeAlias = (
    metadata_store_pb2.ConnectionConfig | metadata_store_pb2.MetadataStoreClientConfig
)

SERVER, MYSQL, SQLITE = "TFX_MLMD_HOST", "TFX_MLMD_MYSQL_HOST", "TFX_MLMD_SQLITE"
_MYSQL_FIELDS = {"DATABASE": "database", "USER": "user", "PASSWORD": "password"}


class MetadataConnectionError(ValueError):
    """The environment names no store, more than one, or one that does not answer."""


class MetadataUnreachable(MetadataConnectionError, TransientFailure):
    """The store does not answer; it may yet."""


def connection_of(environment: Mapping[str, str]) -> ConnectionConfig:
    """Reads the connection from environment variables; exactly one kind must be there.

    Args:
        environment: ``TFX_MLMD_HOST`` and ``TFX_MLMD_PORT`` of a gRPC server;
            ``TFX_MLMD_MYSQL_HOST``, ``_PORT`` (3306 if absent), ``_DATABASE``, ``_USER`` and
            ``_PASSWORD``; or ``TFX_MLMD_SQLITE``, a file.

    Raises:
        MetadataConnectionError: none, or more than one of them, or a part is missing or wrong.
    """
    given = [name for name in (SERVER, MYSQL, SQLITE) if environment.get(name)]
    if len(given) != 1:
        raise MetadataConnectionError(
            f"environment: set exactly one of {SERVER} (with TFX_MLMD_PORT), {MYSQL} (with "
            f"TFX_MLMD_MYSQL_DATABASE, _USER, _PASSWORD) and {SQLITE}. "
            f"Received: {', '.join(given) or 'none of them'}"
        )
    if given == [SERVER]:
        return _server(environment)
    if given == [MYSQL]:
        return _mysql(environment)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = environment[SQLITE]
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return config


def describe(config: ConnectionConfig) -> str:
    """The store's address, without its password."""
    if isinstance(config, metadata_store_pb2.MetadataStoreClientConfig):
        return f"server {config.host}:{config.port}"
    if config.WhichOneof("config") == "mysql":
        return f"MySQL {config.mysql.host}:{config.mysql.port}/{config.mysql.database}"
    return f"SQLite {config.sqlite.filename_uri}"


def wait_for_store(config: ConnectionConfig, seconds: float = 60.0) -> None:
    """Waits until the store answers: it may start, or move, when a task does.

    Args:
        config: of the store.
        seconds: longest wait; the store is asked once at least.

    Raises:
        MetadataUnreachable: it did not answer in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            metadata_store.MetadataStore(config).get_artifact_types()
            return
        # A database that can't be reached is a RuntimeError or an InternalError of the library.
        except (errors.StatusError, RuntimeError) as error:
            if time.monotonic() >= deadline:
                raise MetadataUnreachable(
                    f"ML-Metadata, {describe(config)}, did not answer within {seconds:.0f} s: "
                    f"{error}. Check the address, the network policy and that it runs"
                ) from error
        time.sleep(min(2.0, max(0.0, deadline - time.monotonic())))


def _server(environment: Mapping[str, str]) -> metadata_store_pb2.MetadataStoreClientConfig:
    config = metadata_store_pb2.MetadataStoreClientConfig(
        host=environment[SERVER], port=_port(environment, "TFX_MLMD_PORT", None)
    )
    # The default of 4 MiB is soon reached by answers about a long history.
    config.channel_arguments.max_receive_message_length = -1
    return config


def _mysql(environment: Mapping[str, str]) -> metadata_store_pb2.ConnectionConfig:
    config = metadata_store_pb2.ConnectionConfig()
    config.mysql.host = environment[MYSQL]
    config.mysql.port = _port(environment, "TFX_MLMD_MYSQL_PORT", 3306)
    for suffix, field in _MYSQL_FIELDS.items():
        name = f"TFX_MLMD_MYSQL_{suffix}"
        if not environment.get(name):
            raise MetadataConnectionError(f"environment: {MYSQL} is set but {name} is not: set it")
        setattr(config.mysql, field, environment[name])
    return config


def _port(environment: Mapping[str, str], name: str, default: int | None) -> int:
    text = environment.get(name)
    if not text and default is not None:
        return default
    if not text or not text.isdigit() or not 0 < int(text) < 65536:
        raise MetadataConnectionError(
            f"environment: {name} must be a port, 1 to 65535. Received: {text!r}"
        )
    return int(text)
