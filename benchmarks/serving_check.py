"""Seconds of one core that a serving check takes, with the model of an experiment's latest run.

    python -m benchmarks.serving_check configs/default.yaml

Prints the start of TensorFlow alone, and the whole check without and with a served model.
"""

import argparse
import resource
import subprocess
import tempfile
from pathlib import Path

from mtlx.components.serving_check.hostile_requests import hostile_requests
from mtlx.components.serving_check.process.isolated_python import isolated_python
from mtlx.components.serving_check.process.serving_run import Work, serve
from mtlx.components.serving_check.request_rows import columns_of, without_labels
from mtlx.components.serving_check.settings import ServingCheckSettings
from mtlx.components.slice_evaluation.models.sampled_predictions import load_sampled_predictions
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_folder import RunFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", help="experiment file with a finished run")
    arguments = parser.parse_args()
    experiment = read_experiment(arguments.experiment)
    folder = RunFolder.latest(pipeline_root(experiment))
    if folder is None:
        parser.error(f"no finished run: mtlx run {arguments.experiment}")
    outputs = {node["node_id"]: node["outputs"] for node in folder.read_record()["nodes"]}
    sample = load_sampled_predictions(outputs["SliceEvaluation"]["evaluation"][0])
    model = f"{outputs['Trainer']['model'][0]}/Format-Serving"
    contract = experiment.contract
    examples = without_labels(sample.examples, contract)
    columns = columns_of(examples, contract)
    with tempfile.TemporaryDirectory() as place:
        script = Path(place, "start.py")
        script.write_text("import tensorflow", encoding="utf-8")
        before = _seconds()
        nothing = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        subprocess.run(isolated_python(str(script)), check=True, env=nothing)
        print(f"TensorFlow's start: {_seconds() - before:.1f} s of one core")
    settings = ServingCheckSettings()
    hostile = hostile_requests(examples, columns, contract)
    for served in (None, model):
        before = _seconds()
        work = Work(
            model,
            served,
            examples,
            columns,
            settings.rows,
            settings.calls,
            [],
            list(contract.served.request_side),
            hostile,
        )
        found = serve(work, settings.timeout_seconds)
        words = f"with {'a' if served else 'no'} served model: {_seconds() - before:.1f} s"
        print(f"{words} of one core, {found.seconds:.1f} s in all; ended by {found.ended}")


def _seconds() -> float:
    """Of processors, of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
