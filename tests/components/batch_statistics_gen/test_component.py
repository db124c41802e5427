"""BatchStatisticsGen beside the stock StatisticsGen, on the same examples, by the stock runner."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen.executor import SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from mtlx.components.batch_statistics_gen.component import BatchStatisticsGen
from mtlx.components.report.sections.data_statistics import sample_rates
from mtlx.transform.contract.data_contract import DataContract
from tests import tfx_parts as tfx

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "nothing": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "item", "max_length": 4},
        },
        "tasks": {"ctr": {"label": "click"}},
    }
)
ROWS = {"train": 3000, "test": 500}


def _example(random):
    example = tf.train.Example()
    feature = example.features.feature
    feature["item"].bytes_list.value.append(f"i{random.integers(40)}".encode())
    if random.random() < 0.8:
        feature["price"].float_list.value.append(round(float(random.gamma(2.0, 3.0)), 2))
    else:
        feature["price"]  # present without a value, as LogExampleGen writes it
    feature["nothing"]
    clicks = [f"i{n}".encode() for n in random.integers(0, 40, random.integers(0, 5))]
    if clicks:
        feature["clicks"].bytes_list.value.extend(clicks)
    feature["click"].int64_list.value.append(int(random.integers(2)))
    return example.SerializeToString()


@pytest.fixture(scope="module")
def statistics(tmp_path_factory):
    """Statistics by node id and split, and the pipeline's folder."""
    folder, random = tmp_path_factory.mktemp("statistics"), np.random.default_rng(0)
    for split, rows in ROWS.items():
        (folder / "examples" / split).mkdir(parents=True)
        for shard in range(2):
            path = folder / "examples" / split / f"data-{shard}.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for _ in range(rows // 2):
                    writer.write(_example(random))
    splits = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in ROWS]
    examples = tfx.components.ImportExampleGen(
        input_base=str(folder / "examples"), input_config=tfx.proto.Input(splits=splits)
    )
    arguments = {
        "examples": examples.outputs["examples"],
        "data_contract": CONTRACT.to_json(),
    }
    nodes = [
        tfx.components.StatisticsGen(examples=examples.outputs["examples"]).with_id("stock"),
        BatchStatisticsGen(**arguments).with_id("ours"),
        BatchStatisticsGen(**arguments, sample_rate=0.3).with_id("sampled"),
    ]
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="statistics_test",
            pipeline_root=str(folder),
            components=[examples, *nodes],
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(folder / "metadata.sqlite")
            ),
        )
    )

    def load(node, split):
        (path,) = (folder / node / "statistics").glob(f"*/Split-{split}/FeatureStats.pb")
        (dataset,) = tfdv.load_stats_binary(str(path)).datasets
        return dataset

    return {
        node: {split: load(node, split) for split in ROWS} for node in ("stock", "ours", "sampled")
    }


def _features(dataset):
    return {".".join(feature.path.step) or feature.name: feature for feature in dataset.features}


@pytest.mark.parametrize("split", list(ROWS))
def test_agrees_with_the_stock_component(statistics, split):
    ours, stock = statistics["ours"][split], statistics["stock"][split]
    assert ours.num_examples == stock.num_examples == ROWS[split]
    mine, theirs = _features(ours), _features(stock)
    assert set(mine) == set(theirs)
    for name, feature in theirs.items():
        if name == "nothing":  # the contract knows that it is a number, the examples do not
            assert mine[name].WhichOneof("stats") == "num_stats"
            continue
        kind = feature.WhichOneof("stats")
        assert mine[name].WhichOneof("stats") == kind, name
        own, other = getattr(mine[name], kind), getattr(feature, kind)
        assert own.common_stats.num_non_missing == other.common_stats.num_non_missing, name
        assert own.common_stats.tot_num_values == other.common_stats.tot_num_values, name
        if kind == "num_stats":
            for moment in ("mean", "std_dev", "min", "max", "num_zeros"):
                assert getattr(own, moment) == pytest.approx(getattr(other, moment), rel=1e-5)
            assert own.median == pytest.approx(other.median, rel=0.05)
        else:
            assert own.unique == other.unique
            top = [[(v.value, v.frequency) for v in each.top_values] for each in (own, other)]
            assert sorted(top[0]) == sorted(top[1])


def test_a_sample_is_smaller_and_says_so(statistics):
    sampled, everything = statistics["sampled"]["train"], statistics["ours"]["train"]
    assert 0.25 < sampled.num_examples / everything.num_examples < 0.35
    price = [_features(dataset)["price"].num_stats for dataset in (sampled, everything)]
    assert price[0].mean == pytest.approx(price[1].mean, rel=0.1)


def test_the_report_reads_the_sample_rate():
    artifact = standard_artifacts.ExampleStatistics()
    assert sample_rates(artifact) == {}
    artifact.set_json_value_custom_property(
        SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME, json_utils.dumps({"train": 0.25})
    )
    assert sample_rates(artifact) == {"train": 0.25}
