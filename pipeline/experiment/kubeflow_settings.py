"""Settings of the cluster: the `kubeflow` section. `kubeflow/` turns them into a package."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings, SettingsError

#: A Kubernetes quantity, such as 500m, 2, 1.5 or 16Gi.
Quantity = Annotated[str, pydantic.Field(pattern=r"^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
DnsName = Annotated[
    str, pydantic.Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
]
AbsolutePath = Annotated[str, pydantic.Field(pattern=r"^/")]
VariableName = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
#: Of `mtlx.kubeflow.training_job.kinds`.
TrainingJobKind = Literal["TFJob", "TrainJob"]


_UNITS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGT", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGT", start=1)},
}


class Toleration(Settings):
    """A taint that a node's pods may ignore, as Kubernetes has it.

    Attributes:
        key: of the taint; None for all (with `operator` ``Exists``).
        operator: ``Equal`` or ``Exists``.
        value: of the taint, with ``Equal``.
        effect: ``NoSchedule``, ``PreferNoSchedule``, ``NoExecute``; None for all.
        toleration_seconds: how long a pod stays, with ``NoExecute``; None for ever.
    """

    key: str | None = None
    operator: Annotated[str, pydantic.Field(pattern="^(Equal|Exists)$")] = "Equal"
    value: str | None = None
    effect: Annotated[
        str | None, pydantic.Field(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$")
    ] = None
    toleration_seconds: Annotated[int | None, pydantic.Field(ge=0)] = None


class Volume(Settings):
    """A persistent volume claim that is mounted into pods.

    Attributes:
        claim: name of the claim.
        mount: folder at which it appears.
    """

    claim: DnsName
    mount: AbsolutePath


class Secret(Settings):
    """A Kubernetes secret that pods see, as files or as environment variables.

    Attributes:
        name: of the secret.
        mount: folder in which its keys appear as files; None for none.
        env: environment variables by key of the secret.
    """

    name: DnsName
    mount: AbsolutePath | None = None
    env: dict[str, VariableName] = {}

    @pydantic.model_validator(mode="after")
    def _is_seen(self) -> "Secret":
        if self.mount is None and not self.env:
            raise ValueError(f"secret {self.name!r} is neither mounted nor in env: give one")
        return self


def amount(quantity: str) -> Decimal:
    """A Kubernetes quantity as a number: 500m is 0.5, 1Ki is 1024."""
    found = re.fullmatch(r"([\d.]+)(\D*)", quantity)
    if found is None:
        raise ValueError(f"{quantity!r} is no Kubernetes quantity, such as 500m or 4Gi")
    number, unit = found.groups()
    return Decimal(number) * _UNITS[unit]


class NodeSettings(Settings):
    """Where and with what a node of the pipeline runs.

    Attributes:
        image: container image; None for that of the section.
        cpu: cores that are reserved.
        cpu_limit: most that may be used; None for no limit.
        memory: memory that is reserved and, without `memory_limit`, the most that may be used.
        memory_limit: most that may be used.
        gpu: GPUs of each pod.
        gpu_type: their resource name.
        shared_memory: size of ``/dev/shm`` for nodes with GPUs.
        node_selector: labels that a machine must have.
        tolerations: taints that the pods ignore.
        env: environment variables.
        volumes: claims to mount besides those of the section.
        secrets: secrets to show besides those of the section.
        retries: how often a failure that may pass is tried again inside the pod, and how often a
            pod that ended is repeated, where the backend does that.
        retry_seconds: wait before the first repetition; doubled for each further one.
        timeout_seconds: longest time of a pod; None for no limit.
        workers: machines that train together (Trainer and ReferenceTrainer only); above 1
            through a training job of the cluster (`training_job` of the section).
    """

    image: str | None = None
    cpu: Quantity = "1"
    cpu_limit: Quantity | None = None
    memory: Quantity = "4Gi"
    memory_limit: Quantity | None = None
    gpu: Annotated[int, pydantic.Field(ge=0)] = 0
    gpu_type: str = "nvidia.com/gpu"
    shared_memory: Quantity = "2Gi"
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    env: dict[VariableName, str] = {}
    volumes: list[Volume] = []
    secrets: list[Secret] = []
    retries: Annotated[int, pydantic.Field(ge=0)] = 2
    retry_seconds: Annotated[int, pydantic.Field(ge=0)] = 30
    timeout_seconds: Annotated[int | None, pydantic.Field(ge=1)] = None
    workers: Annotated[int, pydantic.Field(ge=1)] = 1

    @pydantic.model_validator(mode="after")
    def _limits_hold_what_is_reserved(self) -> "NodeSettings":
        """Kubernetes refuses a pod that reserves more than it may use."""
        for name in ("cpu", "memory"):
            reserved, limit = getattr(self, name), getattr(self, f"{name}_limit")
            if limit is not None and amount(limit) < amount(reserved):
                raise ValueError(
                    f"{name}_limit is {limit}, less than {name}, which is {reserved}: raise the "
                    "one or lower the other"
                )
        return self


class MetadataServer(Settings):
    """The ML-Metadata gRPC server of the cluster, see `kubeflow/manifests/`.

    Attributes:
        host: its service's name.
        port: its port.
    """

    host: str = "mtlx-metadata"
    port: Annotated[int, pydantic.Field(ge=1, le=65535)] = 8080


class KubeflowSettings(Settings):
    """How the experiment runs on Kubeflow Pipelines.

    Attributes:
        image: container image of all nodes (``kubeflow/Dockerfile``); `mtlx compile` needs it.
        settings: settings of this experiment that are others on the cluster, by dotted key, such
            as ``data.path``, ``run.pipeline_root``, ``serving.push_to``,
            ``run.beam_pipeline_args``. Paths on the cluster must be absolute or URIs.
        defaults: of every node.
        nodes: settings of single nodes, by node name, that are others than `defaults`.
        volumes: claims that every node mounts.
        secrets: secrets that every node sees.
        image_pull_policy: ``Always``, ``IfNotPresent`` or ``Never``.
        image_pull_secrets: names of secrets with registry credentials.
        service_account: of the pods of a training job; that of the run's tasks is given at
            submission.
        training_job: kind of the object that trains where a node has several `workers`: ``TFJob``
            of the Training Operator v1, or ``TrainJob`` of Kubeflow Trainer 2.2 or newer.
        metadata: the ML-Metadata server.
        host: address of the Kubeflow Pipelines API for `mtlx submit`; None inside the cluster.
        namespace: of the runs.
        experiment: Kubeflow experiment; the name of this experiment if None.
    """

    image: str | None = None
    settings: dict[str, Any] = {}
    defaults: NodeSettings = NodeSettings()
    nodes: dict[str, dict[str, Any]] = {}
    volumes: list[Volume] = []
    secrets: list[Secret] = []
    image_pull_policy: Annotated[str, pydantic.Field(pattern="^(Always|IfNotPresent|Never)$")] = (
        "IfNotPresent"
    )
    image_pull_secrets: list[DnsName] = []
    service_account: DnsName = "mtlx-pipeline"
    training_job: TrainingJobKind = "TFJob"
    metadata: MetadataServer = MetadataServer()
    host: str | None = None
    namespace: DnsName = "kubeflow"
    experiment: str | None = None

    @pydantic.model_validator(mode="after")
    def _check(self) -> "KubeflowSettings":
        for key in self.settings:
            if not re.fullmatch(r"[a-z_]+(\.[A-Za-z0-9_]+)+", key):
                raise ValueError(f"settings: expected SECTION.KEY. Received: {key!r}")
        if self.defaults.workers > 1:
            raise ValueError(
                f"defaults.workers is {self.defaults.workers}, but only Trainer and "
                "ReferenceTrainer run on several machines: set it below nodes.Trainer"
            )
        for name, own in self.nodes.items():
            self._check_node(name, own)
            node = self.node(name)
            if node.workers > 1 and name not in ("Trainer", "ReferenceTrainer"):
                raise ValueError(
                    f"nodes.{name}.workers is {node.workers}, but only Trainer and "
                    "ReferenceTrainer run on several machines; Beam's nodes take "
                    "run.beam_pipeline_args"
                )
        return self

    def _check_node(self, name: str, own: dict[str, Any]) -> None:
        """Reads a node's settings over the defaults, so that errors name their place."""
        known = NodeSettings.model_fields
        problems: list[tuple[tuple[str, ...], str]] = [
            (("nodes", name, key), f"unknown setting {key!r}, {suggest(key, known)}")
            for key in own
            if key not in known
        ]
        try:
            valid = {key: value for key, value in own.items() if key in known}
            NodeSettings.read({**self.defaults.model_dump(exclude_unset=True), **valid})
        except SettingsError as error:
            problems += [(("nodes", name, *path), text) for path, text in error.problems]
        if problems:
            raise SettingsError(problems)

    def node(self, node_id: str) -> NodeSettings:
        """The settings of a node: the section's, the defaults, and what the node has others.

        Raises:
            SettingsError: what the node has is wrong.
        """
        shared = self.defaults.model_dump(exclude_unset=True)
        own = self.nodes.get(node_id, {})
        volumes = [*self.volumes, *self.defaults.volumes]
        secrets = [*self.secrets, *self.defaults.secrets]
        node = NodeSettings.read({**shared, **own})
        if "volumes" in own:
            volumes += node.volumes
        if "secrets" in own:
            secrets += node.secrets
        return node.model_copy(
            update={"volumes": volumes, "secrets": secrets, "image": node.image or self.image}
        )
