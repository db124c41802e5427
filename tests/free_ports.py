"""Ports of this machine that nothing listens on."""

import socket


def free_ports(number):
    """So many, each another; what takes one has to be quick."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
