"""Where an experiment's artifacts, metadata and served versions are: here, or on the cluster."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.pipeline.experiment.cluster_settings import with_cluster_settings
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER, METADATA_FILE
from mtlx.pipeline.run.run_lock import run_lock
from mtlx.transform.config.settings import SettingsError

if TYPE_CHECKING:
    import ml_metadata


class StoreLost(RuntimeError):
    """The metadata store is not there, does not answer, or does not know what it should."""


class WorkplaceUnknown(ValueError):
    """The experiment does not say where its artifacts are on the cluster."""


@dataclasses.dataclass(frozen=True)
class Workplace:
    """The places of one experiment.

    Attributes:
        experiment: as it is run there.
        artifacts: folder or URI of what the nodes write.
        root: folder of the local runs; None on the cluster, which keeps them elsewhere.
    """

    experiment: Experiment
    artifacts: str
    root: Path | None

    @classmethod
    def here(cls, experiment: Experiment) -> "Workplace":
        """The places of local runs."""
        root = pipeline_root(experiment)
        return cls(experiment.anchored(), str(root / ARTIFACTS_FOLDER), root)

    @classmethod
    def on_cluster(cls, experiment: Experiment) -> "Workplace":
        """The places of the cluster's runs, for a process that sees its volumes and its server.

        Raises:
            WorkplaceUnknown: `kubeflow.settings` is wrong, or names no pipeline root.
        """
        try:
            changed = with_cluster_settings(experiment)
        except SettingsError as error:
            words = "; ".join(f"{'.'.join(path)}: {text}" for path, text in error.problems)
            raise WorkplaceUnknown(words) from error
        root = changed.run.pipeline_root
        if root is None:
            raise WorkplaceUnknown(
                "run.pipeline_root is missing: say where the cluster's runs write with "
                f"kubeflow.settings: {{run.pipeline_root: /mnt/pipeline/{experiment.name}}}"
            )
        return cls(changed, root.rstrip("/"), None)

    @property
    def push_to(self) -> str | None:
        """The serving folder."""
        return self.experiment.serving.push_to

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps local runs out meanwhile; the cluster knows no lock.

        Raises:
            PipelineRootInUse: a run is at work.
        """
        with run_lock(self.root) if self.root is not None else contextlib.nullcontext():
            yield

    def check_store(self) -> None:
        """Looks whether there is a metadata store here, at once; of the cluster's nothing is known.

        Raises:
            StoreLost: there is none.
        """
        if self.root is not None and not (file := self.root / METADATA_FILE).exists():
            raise StoreLost(f"{file}: no metadata store is there; no run was finished in it")

    def store(self) -> "ml_metadata.MetadataStore":
        """The metadata store: a file here, on the cluster the server of `kubeflow.metadata`.

        Raises:
            StoreLost: it is not there, or does not answer.
        """
        import ml_metadata
        from ml_metadata import errors
        from ml_metadata.proto import metadata_store_pb2

        config: metadata_store_pb2.ConnectionConfig | metadata_store_pb2.MetadataStoreClientConfig
        self.check_store()
        if self.root is not None:
            config, name = metadata_store_pb2.ConnectionConfig(), str(self.root / METADATA_FILE)
            config.sqlite.filename_uri = name
            config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE
        else:
            server = self.experiment.kubeflow.metadata
            name = f"{server.host}:{server.port}"
            config = metadata_store_pb2.MetadataStoreClientConfig(
                host=server.host, port=server.port, client_timeout_sec=60.0
            )
            # The default of 4 MiB is soon reached by answers about a long history.
            config.channel_arguments.max_receive_message_length = -1
        try:
            store = ml_metadata.MetadataStore(config)
            store.get_artifact_types()
        except (errors.StatusError, RuntimeError) as error:
            raise StoreLost(f"{name}: the metadata store cannot be read: {error}") from error
        return store
