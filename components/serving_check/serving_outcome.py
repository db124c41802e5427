"""What the serving check found, as Pusher's blessing, the report and a person read it."""

import json
import os
from dataclasses import asdict, dataclass, field

import tensorflow as tf

#: File in the folder of an InfraBlessing.
OUTCOME_FILE = "serving_check.json"


@dataclass(frozen=True)
class ServingFinding:
    """One thing that was looked at.

    Attributes:
        subject: ``process``, ``signature``, ``predictions``, ``latency`` or ``requests``.
        passed: False keeps the model from being pushed.
        message: what was found, a sentence.
    """

    subject: str
    passed: bool
    message: str


@dataclass(frozen=True)
class Latency:
    """What a request of a size took, in milliseconds.

    Attributes:
        rows: of the request.
        p50: median of the candidate's calls.
        p99: their 99th percentile.
        served_p50: of the model that serves now, measured in turn; None without one.
        served_p99: likewise.
    """

    rows: int
    p50: float
    p99: float
    served_p50: float | None = None
    served_p99: float | None = None


@dataclass(frozen=True)
class ServingOutcome:
    """The outcome of one check.

    Attributes:
        blessed: whether the model may be pushed, as far as this check goes.
        checked: False where the gate held the model back, so that it was not served.
        findings: what was looked at, in that order.
        latencies: by rows.
        seconds: that it took.
        warm_up_requests: that the model holds now.
    """

    blessed: bool
    checked: bool
    findings: list[ServingFinding] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    seconds: float = 0.0
    warm_up_requests: int = 0

    @property
    def problems(self) -> list[str]:
        """What keeps the model from being pushed, though the gate let it through."""
        return [finding.message for finding in self.findings if not finding.passed]

    def save(self, uri: str) -> None:
        """Writes `OUTCOME_FILE` into a folder."""
        tf.io.gfile.makedirs(uri)
        with tf.io.gfile.GFile(os.path.join(uri, OUTCOME_FILE), "w") as file:
            file.write(json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, uri: str) -> "ServingOutcome":
        """Reads the outcome from the folder of an InfraBlessing.

        Raises:
            FileNotFoundError: the blessing is not one of ServingCheck's.
        """
        path = os.path.join(uri, OUTCOME_FILE)
        if not tf.io.gfile.exists(path):
            raise FileNotFoundError(f"{path} does not exist: no ServingCheck wrote into {uri}")
        with tf.io.gfile.GFile(path) as file:
            values = json.load(file)
        findings = [ServingFinding(**finding) for finding in values.pop("findings")]
        latencies = [Latency(**latency) for latency in values.pop("latencies")]
        return cls(**values, findings=findings, latencies=latencies)
