"""How much a run's nodes wrote."""

import os
from collections.abc import Iterable, Mapping, Sequence


def bytes_of_node(node_id: str, state: str, outputs: Mapping[str, Sequence[str]]) -> int | None:
    """Bytes that a node wrote, each counted once in all runs.

    Args:
        node_id: the node.
        state: how it ended; what came from the cache is counted to the run that wrote it.
        outputs: URIs by output name; those of a resolver are other nodes' artifacts.

    Returns:
        The sum; None of a node that wrote nothing, or where it is not known.
    """
    own = [uri for uris in outputs.values() for uri in uris if f"/{node_id}/" in uri]
    return written_bytes(own) if state == "complete" and own else None


def written_bytes(uris: Iterable[str]) -> int | None:
    """Size of the files below some folders, in bytes.

    Args:
        uris: paths of folders; one that is not there has none.

    Returns:
        The sum; None where one of them is in an object store, which takes too long to ask.
    """
    total = 0
    for uri in uris:
        if "://" in uri:
            return None
        for folder, _, names in os.walk(uri):
            for name in names:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size
                except FileNotFoundError:
                    continue  # A temporary file of a library that is still at its end.
    return total
