"""Runs that were never run, in a real metadata store, and what a next run would make of them."""

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils

from benchmarks.fabricated_runs import FabricatedRuns
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.resolvers.previous_blessed_model import PreviousBlessedModelStrategy
from mtlx.pipeline.run.workplace import Workplace

FILE = Path(__file__).parents[2] / "configs/default.yaml"


class Past:
    """An experiment with fabricated runs."""

    def __init__(self, folder, uri=""):
        root, serving = folder / "root", folder / "serving"
        self.options = []
        settings = [f"run.pipeline_root={root}", f"serving.push_to={uri}{serving}"]
        settings += ["gate.anchor=null", "gate.thresholds=[{rule: auc, minimum: 0.5}]"]
        for setting in settings:
            self.options += ["--set", setting]
        self.experiment = read_experiment(FILE, self.options[1::2])
        self.place = Workplace.here(self.experiment)
        self.base = self.place.push_to
        self.made = FabricatedRuns(root, self.experiment.name, self.base)

    def command(self, name, *arguments):
        return [name, str(FILE), *self.options, *arguments]

    def baseline(self):
        """Id of the model that the next run is compared with; None where there is none."""
        store = self.made.store
        names = {kind.id: kind for kind in store.get_artifact_types()}
        found = {"model": [], "model_blessing": []}
        for proto in store.get_artifacts():
            artifact = artifact_utils.deserialize_artifact(names[proto.type_id], proto)
            key = {"Model": "model", "ModelBlessing": "model_blessing"}.get(artifact.type_name)
            if key and proto.state == metadata_store_pb2.Artifact.LIVE:
                found[key].append(artifact)
        resolved = PreviousBlessedModelStrategy().resolve_artifacts(None, found)
        return resolved["model"][0].id if resolved["model"] else None
