"""Values that a vocabulary's file, or a C string, may not hold: ids in training and in serving."""

import shutil
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft

from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "odd": {"kind": "categorical"},
            "only": {"kind": "categorical"},
            "nothing": {"kind": "categorical"},
            "many": {"kind": "sequence", "of": "odd", "max_length": 30},
        },
        "tasks": {"ctr": {"label": "click"}},
    }
)
#: What a line can't hold: they have the id of an unknown value, as values below min_count have.
BROKEN = ["carriage\rreturn", "line\nfeed", "both\r\n", "\rstart"]
ODD = [
    "trailing  ",
    "  leading",
    " x",
    "tab\t",
    "nul\0byte",
    "\0x",
    "größe",
    "\u2028",
    "a" * (1 << 20),
    "a" * (1 << 20) + "b",
    "0",
    "plain",
]


@pytest.mark.parametrize("analysis", ["one_pass", "stock"])
def test_training_and_a_moved_graph_give_the_same_ids(request, tmp_path, analysis):
    run = request.getfixturevalue({"stock": "transform"}.get(analysis, analysis))
    values = [*ODD, *BROKEN]
    rows = [
        {"odd": [value], "only": ["x"], "nothing": [], "many": [value, "plain"], "click": [1]}
        for value in values
    ]
    result = run(CONTRACT, rows)
    ids = result.columns["odd"].tolist()
    assert sorted(ids[: len(ODD)]) == list(range(3, 3 + len(ODD)))
    assert ids[len(ODD) :] == [2] * len(BROKEN)
    assert set(result.columns["only"]) == {3} and set(result.columns["nothing"]) == {1}
    shutil.move(f"{result.folder}/graph", tmp_path / "graph")
    shutil.rmtree(result.folder)
    Path(result.folder).mkdir()  # Else the next test would get a folder of that name.
    layer = tft.TFTransformOutput(str(tmp_path / "graph")).transform_features_layer()
    sparse = tf.sparse.from_dense
    served = layer(
        {
            "odd": sparse(tf.constant(values)[:, tf.newaxis]),
            "only": sparse([["x"]] * len(values)),
            "nothing": sparse([["x"]] * len(values)),
            "many": sparse([[value, "plain"] for value in values]),
        }
    )
    assert served["odd"].numpy().tolist() == ids
    assert served["many"].numpy().tolist() == result.columns["many"].tolist()
    assert set(served["nothing"].numpy()) == {2}
