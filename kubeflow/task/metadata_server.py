"""An ML-Metadata gRPC server over the C++ store of the Python wheel.

``python -m mtlx.kubeflow.task.metadata_server --port 0 --sqlite FILE`` prints its port on a line of
its own and serves until it is stopped. For rehearsals and tests: a cluster takes the image of
ML-Metadata's own server (see ``kubeflow/manifests/``), which speaks the same protocol.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent import futures

import grpc
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

from mtlx.kubeflow.task.metadata_connection import (
    MYSQL,
    SQLITE,
    MetadataConnectionError,
    connection_of,
)

_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class MetadataServer:
    """Serves one store; every procedure of the service is answered by the store's function.

    Requests and answers pass through as the bytes that they are. The store is no safe place for
    two threads, so there is one lock around it.

    Args:
        config: of the database.
        host: address to listen at.
        port: 0 for a free one.

    Raises:
        RuntimeError: the database can't be opened, or the port is taken.
    """

    def __init__(
        self, config: metadata_store_pb2.ConnectionConfig, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._store = metadata_store.CreateMetadataStore(
            config.SerializeToString(), metadata_store_pb2.MigrationOptions().SerializeToString()
        )
        self._lock = threading.Lock()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=8),
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                # Two servers at one port would answer from two databases.
                ("grpc.so_reuseport", 0),
            ],
        )
        handlers = {
            method.name: grpc.unary_unary_rpc_method_handler(self._answer(method.name))
            for method in _SERVICE.methods
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers),)
        )
        self.port = self._server.add_insecure_port(f"{host}:{port}")
        if not self.port:
            raise RuntimeError(f"can't listen at {host}:{port}")

    def start(self) -> None:
        """Answers from now on, in threads of its own."""
        self._server.start()

    def stop(self) -> None:
        """Lets the requests under way end, and answers no more."""
        self._server.stop(grace=5).wait()

    def _answer(self, name: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        """The handler of one procedure."""
        procedure = getattr(metadata_store, name, None)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if procedure is None:
                return context.abort(  # It raises.
                    grpc.StatusCode.UNIMPLEMENTED,
                    f"{name}: the store of this wheel has no such function",
                )
            with self._lock:
                response, message, code = procedure(self._store, request)
            if code != 0:
                status = _STATUS_CODES.get(code, grpc.StatusCode.UNKNOWN)
                context.abort(status, message.decode("utf-8", "replace"))
            return response

        return answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        0 when it was stopped, 2 for a wrong environment or a database that can't be opened.
    """
    parser = argparse.ArgumentParser(
        prog="python -m mtlx.kubeflow.task.metadata_server", description=__doc__
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    database = parser.add_mutually_exclusive_group(required=True)
    database.add_argument("--sqlite", metavar="FILE", help="database file; made if absent")
    database.add_argument(
        "--mysql", action="store_true", help=f"as {MYSQL} and its like say in the environment"
    )
    parsed = parser.parse_args(arguments)
    environment = {SQLITE: parsed.sqlite} if parsed.sqlite else dict(os.environ)
    if parsed.mysql:
        environment = {key: value for key, value in environment.items() if MYSQL[:-4] in key}
    try:
        server = MetadataServer(connection_of(environment), parsed.host, parsed.port)
    except (MetadataConnectionError, RuntimeError) as error:
        print(f"metadata server: {error}", file=sys.stderr)
        return 2
    signals = _signals()
    server.start()
    print(server.port, flush=True)
    os.read(signals, 1)
    server.stop()
    return 0


def _signals() -> int:
    """A pipe that has a byte of each SIGTERM and SIGINT.

    A handler of Python's is run by the main thread, which a signal does not wake where a thread of
    gRPC's gets it, or where it comes just before the main thread begins to wait.
    """
    awake, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return awake


if __name__ == "__main__":
    sys.exit(main())
