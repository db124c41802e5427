"""KuaiRand's log and its tables of users and videos, as the experiment files join them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from mtlx.components.log_example_gen.joins.joins import Joins
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.pipeline.experiment.experiment_file import read_experiment

CONFIGS = Path(__file__).parents[5] / "configs"
#: Columns of the sample that are not the log's.
_OF_VIDEOS = ("video_type", "visible_status", "server_width", "server_height")
_LOG = ("user_id", "video_id", "is_click", "duration_ms", "tab")


def _write(path, rows, columns, key=None):
    """Rows with some columns; of each key the first."""
    seen = {row[key]: row for row in reversed(rows)}.values() if key else rows
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(seen)
    return len(list(seen))


@pytest.mark.parametrize("version", ["pure", "1k", "27k"])
def test_the_experiment_joins_users_and_videos(tmp_path, samples, version):
    """The sample holds the join already: it is taken apart, and has to come together again."""
    folder = {"pure": "KuaiRand-Pure", "1k": "KuaiRand-1K", "27k": "KuaiRand-27K"}[version]
    data = tmp_path / folder / "data"
    data.mkdir(parents=True)
    with (samples / "scenario-wise-rec" / "kuairand_sample.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    of_users = [name for name in rows[0] if name not in (*_LOG, *_OF_VIDEOS)]
    for row in rows:
        row |= {"long_view": row["is_click"], "time_ms": "1650485801301", "author_id": "7"}
        row |= {"upload_type": "ShortImport", "music_id": "1", "tag": "12,60", "date": "20220421"}
        row |= {"is_rand": "0", "hourmin": "400"}
    log = [*_LOG, "long_view", "time_ms", "date", "hourmin", "is_rand"]
    part = "_part1" if version == "27k" else ""
    _write(data / f"log_standard_4_22_to_5_08_{version}{part}.csv", rows, log)
    _write(data / f"user_features_{version}.csv", rows, ["user_id", *of_users], "user_id")
    videos = ["video_id", "author_id", "upload_type", "music_id", "tag", *_OF_VIDEOS]
    _write(data / f"video_features_basic_{version}.csv", rows, videos, "video_id")
    experiment = read_experiment(str(CONFIGS / f"kuairand_{version}.yaml"), data_root=str(tmp_path))
    checks = RowChecks(experiment.contract, where=experiment.data.where)
    joins = Joins(experiment.data.join, checks.columns())
    reader = READERS.build("csv", {})
    files = [str(file) for file in data.glob("log_*.csv")]
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
