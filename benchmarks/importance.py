"""Seconds and memory of permutation importance, of a model of the default experiment's kind.

    python -m benchmarks.importance [--rows 60000] [--features 20] [--repeats 5] [--network dtn]

Rows are drawn at random, and so are the model's weights: neither changes how long it takes. Three
tasks, each on the rows of the one before, and three domains, as in `mtlx simulate`.
"""

import argparse
import resource
import time

import keras
import numpy as np

from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
from mtlx.components.model_insight.insight_model import InsightModel
from mtlx.components.model_insight.insights.importance import Importance
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import ModelInputs

_DOMAINS = ["home_feed", "search", "product_page"]
#: Values of every categorical feature, and of the ranked item.
_VALUES, _ITEMS = 50, 2_000
_LENGTH = 20
#: The candidates' options in configs/default.yaml; MMoE's are its own.
_OPTIONS = {
    "dtn": {
        "units": 64,
        "tower_hidden": [64, 32],
        "interactions": [
            {"name": "gdcn", "options": {"rank": 16}},
            {"name": "memonet", "options": {"codewords": 2000, "hcnets": 1}},
            {"name": "masknet", "options": {"aggregation": 64, "blocks": 1}},
        ],
    },
    "mmoe": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--features", type=int, default=20, help="two of them sequences")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--network", choices=sorted(_OPTIONS), default="dtn")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(1)
    contract = _contract(arguments.features)
    inputs = model_inputs(contract, lambda name: _ITEMS if name == "item" else _VALUES)
    settings = ModelSettings(
        network=arguments.network,
        options=_OPTIONS[arguments.network],
        embedding_size=8,
        sequence_encoder="mean_pooling",
    )
    model = InsightModel(build_model(inputs, settings), contract, inputs, settings)
    rows = _rows(inputs, arguments.rows)
    model.probabilities({name: values[:256] for name, values in rows.features.items()})
    before, started = time.process_time(), time.monotonic()
    said: list[str] = []
    found = Importance(rows=arguments.rows, repeats=arguments.repeats).find(
        model, rows, said.append
    )
    seconds, used = time.monotonic() - started, time.process_time() - before
    measured = found.values["tasks"]
    features = len(next(iter(measured.values()))["overall"]["importance"])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{arguments.network}, {features} features x {len(measured)} tasks x {arguments.repeats} "
        f"shufflings over {len(rows):,} rows: {seconds:.0f} s ({used:.0f} s of processors), "
        f"peak memory {memory:.1f} GiB, {len(said)} lines of progress, the last: {said[-1]}"
    )


def _contract(features: int) -> DataContract:
    kinds: dict[str, dict[str, object]] = {
        "item": {"kind": "categorical"},
        "scenario": {"kind": "categorical"},
    }
    for number in range((features - 4) // 2):
        kinds[f"number_{number}"] = {"kind": "numeric"}
    while len(kinds) < features - 2:
        kinds[f"value_{len(kinds)}"] = {"kind": "categorical"}
    for name in ("viewed", "bought"):
        kinds[name] = {"kind": "sequence", "of": "item", "max_length": _LENGTH}
    tasks = {
        "click": {"label": "click"},
        "cart": {"label": "cart", "after": "click", "population": "click"},
        "buy": {"label": "buy", "after": "cart", "population": "cart"},
    }
    return DataContract.read(
        {
            "features": kinds,
            "tasks": tasks,
            "target_item": "item",
            "domain": {"feature": "scenario", "values": _DOMAINS},
        }
    )


def _rows(inputs: ModelInputs, number: int) -> EvaluatedRows:
    random = np.random.default_rng(1)
    features = {field.name: random.integers(3, field.cardinality, number)
                for field in inputs.categorical}  # fmt: skip
    features |= {
        field.name: random.normal(size=number).astype("float32") for field in inputs.numeric
    }
    for sequence in inputs.sequences:
        features[sequence.name] = random.integers(3, _ITEMS, (number, sequence.max_length))
    domains = random.integers(0, len(_DOMAINS), number)
    features["domain_id"] = domains
    click, cart, buy = (random.random(number) < rate for rate in (0.125, 0.25, 0.35))
    labels = np.stack([click, click & cart, click & cart & buy], axis=1)
    counts = np.stack([np.ones(number, bool), labels[:, 0], labels[:, 1]], axis=1)
    return EvaluatedRows(
        np.zeros(number), features, labels.astype("float32"), counts, domains, number
    )


if __name__ == "__main__":
    main()
