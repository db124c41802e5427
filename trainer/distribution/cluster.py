"""Which machines train together, as ``TF_CONFIG`` tells each of them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Environment variable that whoever starts the workers sets, such as a TFJob's operator.
TF_CONFIG = "TF_CONFIG"

_FORM = (
    'expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
)
#: Kinds of machines that have no part in synchronous training.
_REFUSED = {"ps": "parameter servers are not used", "evaluator": "the workers validate themselves"}


class WrongCluster(ValueError):
    """``TF_CONFIG`` does not describe a cluster that this training can use."""


@dataclass(frozen=True)
class Cluster:
    """The machines of one training, and which of them this process is.

    Attributes:
        workers: their number, the chief included; 1 for a training on this machine alone.
        index: of this one among them; the chief's is 0.
    """

    workers: int = 1
    index: int = 0

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> "Cluster":
        """Reads ``TF_CONFIG``.

        Args:
            environment: variables by name; those of the process if None.

        Returns:
            The cluster; one machine where the variable is not set, empty or names no cluster.

        Raises:
            WrongCluster: it is no JSON, not of TensorFlow's form, or names parameter servers or
                evaluators.
        """
        text = (os.environ if environment is None else environment).get(TF_CONFIG, "")
        if not text.strip():
            return cls()
        try:
            config = json.loads(text)
        except json.JSONDecodeError as error:
            raise WrongCluster(f"{TF_CONFIG} is no JSON: {error}. Received: {text!r}") from None
        if not isinstance(config, dict) or not isinstance(config.get("cluster", {}), dict):
            raise WrongCluster(f"{TF_CONFIG}: {_FORM}. Received: {text!r}")
        if not config.get("cluster"):
            return cls()
        addresses = _addresses(config["cluster"])
        return cls(len(addresses), _index(config["cluster"], config.get("task")))

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that validates, writes and exports."""
        return self.index == 0


def _addresses(cluster: Mapping[str, Any]) -> list[str]:
    """All workers' addresses, the chief's first."""
    for kind, addresses in cluster.items():
        if kind in _REFUSED:
            raise WrongCluster(
                f"{TF_CONFIG} names machines of type {kind!r}, but {_REFUSED[kind]}: give chief "
                "and worker only"
            )
        if kind not in ("chief", "worker"):
            raise WrongCluster(
                f"{TF_CONFIG} names machines of unknown type {kind!r}: give chief and worker only"
            )
        if not _is_list_of_addresses(addresses):
            raise WrongCluster(
                f"{TF_CONFIG}: cluster.{kind} must be a list of host:port. Received: {addresses!r}"
            )
    if len(cluster.get("chief", [])) > 1:
        raise WrongCluster(f"{TF_CONFIG} names {len(cluster['chief'])} chiefs: give one")
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def _is_list_of_addresses(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(address, str) and address.rpartition(":")[2].isdigit() for address in value
    )


def _index(cluster: Mapping[str, list[str]], task: object) -> int:
    """This process among all workers, the chief first."""
    kind = task.get("type") if isinstance(task, dict) else None
    index = task.get("index") if isinstance(task, dict) else None
    places = range(len(cluster.get(kind, ()) if isinstance(kind, str) else ()))
    if not isinstance(index, int) or isinstance(index, bool) or index not in places:
        raise WrongCluster(
            f"{TF_CONFIG}: task must name one of the cluster's machines by type and index, but "
            f"the cluster has {', '.join(f'{len(a)} {k}' for k, a in cluster.items())}. "
            f"Received: {task!r}"
        )
    return index + (len(cluster.get("chief", [])) if kind == "worker" else 0)
