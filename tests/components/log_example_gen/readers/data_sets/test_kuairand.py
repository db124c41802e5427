"""KuaiRand's log and its tables of users and videos, as the experiment files join them."""

from pathlib import Path

import numpy as np
import pytest

from mtlx.components.log_example_gen.joins.joins import Joins
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.pipeline.experiment.experiment_file import read_experiment
from tests.components.log_example_gen.readers.data_sets.sampled_logs import write_kuairand

CONFIGS = Path(__file__).parents[5] / "configs"


@pytest.mark.parametrize("version", ["pure", "1k", "27k"])
def test_the_experiment_joins_users_and_videos(tmp_path, samples, version):
    """The sample holds the join already: it is taken apart, and has to come together again."""
    rows = write_kuairand(tmp_path, samples, version)
    experiment = read_experiment(str(CONFIGS / f"kuairand_{version}.yaml"), data_root=str(tmp_path))
    checks = RowChecks(experiment.contract, where=experiment.data.where)
    joins = Joins(experiment.data.join, checks.columns())
    reader = READERS.build("csv", {})
    files = [str(file) for file in tmp_path.glob("*/data/log_*.csv")]
    assert all(
        not Path(path).is_absolute() or path.startswith(str(tmp_path))
        for path in experiment.data.path
    )
    (shard,) = reader.shards(files)
    table = [joins(batch, files[0]) for batch in reader.read(shard, joins.columns)][-1]
    assert not joins.unmatched
    # Tables hold the first row of a key: of users and videos all rows agree with it.
    expected = [row["user_active_degree"] for row in rows]
    first = {row["user_id"]: row["user_active_degree"] for row in reversed(rows)}
    assert table.columns["user_active_degree"].to_pylist() == [first[r["user_id"]] for r in rows]
    assert len(set(expected)) > 1
    checked = checks.check(table, files[0])
    assert checked.kept.sum() + checked.filtered == len(rows) and not checked.rejected
    assert np.asarray(checked.kept).sum() > 50
