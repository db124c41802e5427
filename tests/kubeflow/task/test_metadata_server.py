"""The ML-Metadata server as a process of its own, asked by the real client over a real socket."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

from mtlx.kubeflow.task.metadata_connection import (
    MetadataConnectionError,
    connection_of,
    describe,
    wait_for_store,
)

ROOT = Path(__file__).parents[3]
MYSQL_SERVER = shutil.which("mariadbd") or shutil.which("mysqld")


@contextlib.contextmanager
def served(*arguments, **environment):
    """A server process; gives the address in the form of the environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mtlx.kubeflow.task.metadata_server", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), port
        yield {"TFX_MLMD_HOST": "127.0.0.1", "TFX_MLMD_PORT": port}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


#: Gives the signal to a thread that is not the main one, which waits.
_ELSEWHERE = """
import signal, sys, threading, time
from mtlx.kubeflow.task import metadata_server

def elsewhere():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

start = metadata_server.MetadataServer.start
metadata_server.MetadataServer.start = lambda self: (
    start(self), threading.Thread(target=elsewhere, daemon=True).start()
)
sys.exit(metadata_server.main(sys.argv[1:]))
"""


def test_it_stops_whichever_thread_gets_the_signal(tmp_path):
    command = [sys.executable, "-c", _ELSEWHERE, "--sqlite", str(tmp_path / "metadata.sqlite")]
    assert subprocess.run(command, cwd=ROOT, timeout=60, stdout=subprocess.DEVNULL).returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    file = tmp_path_factory.mktemp("server") / "metadata.sqlite"
    with served("--sqlite", str(file)) as address:
        yield address


def client(address):
    return metadata_store.MetadataStore(connection_of(address))


def _artifact_type(name):
    kind = metadata_store_pb2.ArtifactType(name=name)
    kind.properties["index"] = metadata_store_pb2.INT
    return kind


def _put_some(address, type_id, worker, count):
    """What a task does: executions with artifacts and events, in one transaction each."""
    store = client(address)
    ids = []
    for index in range(count):
        artifact = metadata_store_pb2.Artifact(type_id=type_id, uri=f"/{worker}/{index}")
        artifact.properties["index"].int_value = index
        ids += store.put_artifacts([artifact])
    return ids


def _check_concurrent_clients(address):
    store = client(address)
    type_id = store.put_artifact_type(_artifact_type("Concurrent"))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda worker: _put_some(address, type_id, worker, 10), range(8)))
    flat = [artifact_id for group in ids for artifact_id in group]
    assert len(set(flat)) == 80
    uris = {artifact.uri for artifact in store.get_artifacts_by_type("Concurrent")}
    assert uris == {f"/{worker}/{index}" for worker in range(8) for index in range(10)}


def test_every_procedure_of_the_service_has_the_stores_function():
    from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as cc

    service = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
    missing = {method.name for method in service.methods if not hasattr(cc, method.name)}
    # The wheel's store was built without these.
    assert missing == {
        "GetLineageGraph",
        "GetParentContextsByContexts",
        "GetChildrenContextsByContexts",
    }


def test_concurrent_clients_lose_nothing(server):
    _check_concurrent_clients(server)


def test_a_type_and_an_execution_come_back_as_they_were(server):
    store = client(server)
    type_id = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Node"))
    execution = metadata_store_pb2.Execution(type_id=type_id, name="run.Trainer")
    execution.last_known_state = metadata_store_pb2.Execution.RUNNING
    (execution_id,) = store.put_executions([execution])
    (read,) = store.get_executions_by_id([execution_id])
    assert (read.name, read.last_known_state) == ("run.Trainer", execution.last_known_state)


def test_errors_arrive_as_the_clients_own(server):
    store = client(server)
    with pytest.raises(errors.NotFoundError, match="No type found"):
        store.get_artifact_type("absent")
    type_id = store.put_context_type(metadata_store_pb2.ContextType(name="Run"))
    context = metadata_store_pb2.Context(type_id=type_id, name="same")
    store.put_contexts([context])
    with pytest.raises(errors.AlreadyExistsError):
        store.put_contexts([context])
    with pytest.raises(errors.UnimplementedError, match="GetLineageGraph"):
        store._call(
            "GetLineageGraph",
            metadata_store_service_pb2.GetLineageGraphRequest(),
            metadata_store_service_pb2.GetLineageGraphResponse(),
        )
    with pytest.raises(errors.InvalidArgumentError):
        store.put_contexts([metadata_store_pb2.Context(name="without a type")])


def test_what_was_written_outlives_the_server(tmp_path):
    file = str(tmp_path / "metadata.sqlite")
    with served("--sqlite", file) as address:
        client(address).put_artifact_type(_artifact_type("Kept"))
    with served("--sqlite", file) as address:
        wait_for_store(connection_of(address))
        assert client(address).get_artifact_type("Kept").properties["index"]


def test_a_database_that_cannot_be_opened_is_one_line(tmp_path, capfd):
    from mtlx.kubeflow.task import metadata_server

    assert metadata_server.main(["--sqlite", str(tmp_path / "absent" / "x.sqlite")]) == 2
    assert "metadata server:" in capfd.readouterr().err
    assert metadata_server.main(["--mysql"]) == 2
    assert "set exactly one of TFX_MLMD_HOST" in capfd.readouterr().err


def test_a_store_that_does_not_answer_is_named():
    config = connection_of({"TFX_MLMD_HOST": "127.0.0.1", "TFX_MLMD_PORT": "9"})
    with pytest.raises(MetadataConnectionError, match=r"server 127\.0\.0\.1:9, did not answer"):
        wait_for_store(config, seconds=0.5)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "Received: none of them"),
        (
            {"TFX_MLMD_HOST": "h", "TFX_MLMD_PORT": "1", "TFX_MLMD_SQLITE": "f"},
            "Received: TFX_MLMD_HOST, TFX_MLMD_SQLITE",
        ),
        ({"TFX_MLMD_HOST": "h"}, r"TFX_MLMD_PORT must be a port.*None"),
        ({"TFX_MLMD_HOST": "h", "TFX_MLMD_PORT": "tcp://1"}, "TFX_MLMD_PORT must be a port"),
        (
            {"TFX_MLMD_MYSQL_HOST": "h", "TFX_MLMD_MYSQL_DATABASE": "d"},
            "TFX_MLMD_MYSQL_USER is not",
        ),
    ],
)
def test_a_wrong_environment_is_refused(environment, message):
    with pytest.raises(MetadataConnectionError, match=message):
        connection_of(environment)


def test_each_kind_of_connection_is_read_and_described():
    mysql = {"HOST": "db", "DATABASE": "mlmd", "USER": "u", "PASSWORD": "secret"}
    config = connection_of({f"TFX_MLMD_MYSQL_{key}": value for key, value in mysql.items()})
    assert config.mysql.password == "secret"
    assert describe(config) == "MySQL db:3306/mlmd"
    assert describe(connection_of({"TFX_MLMD_SQLITE": "/f"})) == "SQLite /f"


@contextlib.contextmanager
def mysql_database(folder):
    """A MySQL (MariaDB) server of its own on a free port, with an empty database."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = shutil.which("mariadb-install-db")
    common = [f"--datadir={data}", *user]
    if install:
        setup = [install, "--no-defaults", "--skip-test-db", *common]
    else:
        setup = [MYSQL_SERVER, "--no-defaults", "--initialize-insecure", *common]
    subprocess.run(setup, check=True, capture_output=True)
    start = folder / "start.sql"
    start.write_text(
        "CREATE DATABASE mlmd;\n"
        "CREATE USER 'mlmd'@'%' IDENTIFIED BY 'a password';\n"
        "GRANT ALL ON mlmd.* TO 'mlmd'@'%';\n"
    )
    process = subprocess.Popen(
        [MYSQL_SERVER, "--no-defaults", *common, f"--port={port}", "--bind-address=127.0.0.1",
         f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", f"--init-file={start}"],
        stdout=(folder / "log").open("w"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield {
            "TFX_MLMD_MYSQL_HOST": "127.0.0.1",
            "TFX_MLMD_MYSQL_PORT": str(port),
            "TFX_MLMD_MYSQL_DATABASE": "mlmd",
            "TFX_MLMD_MYSQL_USER": "mlmd",
            "TFX_MLMD_MYSQL_PASSWORD": "a password",
        }
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.skipif(MYSQL_SERVER is None, reason="no mariadbd or mysqld here")
def test_mysql_is_reached_directly_and_behind_the_server(tmp_path):
    with mysql_database(tmp_path) as environment:
        wait_for_store(connection_of(environment), seconds=30)
        client(environment).put_artifact_type(_artifact_type("Direct"))
        with served("--mysql", **environment) as address:
            assert client(address).get_artifact_type("Direct").name == "Direct"
            _check_concurrent_clients(address)
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            type_id = client(environment).get_artifact_type("Direct").id
            list(pool.map(lambda worker: _put_some(environment, type_id, worker, 5), range(4)))
        assert len(client(environment).get_artifacts_by_type("Direct")) == 20
        assert time.monotonic() - started < 60
