"""Names of training jobs: the same for every attempt of a task, another for every other task."""

import hashlib
import re

#: A pod's host name and a service's name have at most 63 characters. The Training Operator appends
#: ``-worker-<index>`` to the job's, a JobSet ``-node-0-<index>`` and five characters more.
_LONGEST = 63 - len("-node-0-9999-abcde")
#: Characters of the digest that keeps shortened names apart.
_DIGEST = 8


def job_name(run_id: str, node_id: str) -> str:
    """``<run id>-<node>`` as a DNS-1035 label, which leaves room for the pods' suffixes.

    Names that had to be changed end in a digest of both, so that no two become one.

    Args:
        run_id: of the run.
        node_id: of the node.
    """
    wanted = f"{run_id}-{node_id}"
    name = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
    if not name[:1].isalpha():
        name = f"run-{name}"
    if name == wanted.lower() and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(json_of(run_id, node_id)).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST - _DIGEST - 1].rstrip('-')}-{digest}"


def json_of(*parts: str) -> bytes:
    """Parts as bytes that no other parts give."""
    return "\0".join(parts).encode()
