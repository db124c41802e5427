"""Small logs of public data sets in their own layouts, of the rows of `schema-samples`.

Of AliExpress and Ali-CCP they are as the published codes make them, and of KuaiRand. Made up ones
are in `tests.pipeline.trainings.planted_data_sets`.
"""

import csv
import os
import shutil
from pathlib import Path

_KUAIRAND = {"pure": "KuaiRand-Pure", "1k": "KuaiRand-1K", "27k": "KuaiRand-27K"}
#: Columns of KuaiRand's sample that are not the log's.
_OF_VIDEOS = ("video_type", "visible_status", "server_width", "server_height")
_LOG = ("user_id", "video_id", "is_click", "duration_ms", "tab")
#: Of the first row, and between two, in milliseconds: 40 rows a day until 8 May 2022 in Beijing.
_FIRST, _STEP = 1651593600000, 2_160_000


def schema_samples():
    """The folder with the samples; None where they are not at hand."""
    for root in (os.environ.get("MTLX_DATA"), Path(__file__).parents[6] / "shared" / "data"):
        if root and (Path(root) / "schema-samples").is_dir():
            return Path(root) / "schema-samples"
    return None


def write_aliexpress(folder, samples):
    """What MTReclib's code makes."""
    (folder / "AliExpress_NL").mkdir(parents=True)
    for part in ("train", "test"):
        sample = samples / "torch-rechub" / f"aliexpress_{part}_sample.csv"
        shutil.copy(sample, folder / "AliExpress_NL" / f"{part}.csv")


def write_ali_ccp_aitm(folder, samples):
    """What AITM's code makes."""
    (folder / "ali-ccp").mkdir(parents=True)
    for part, sample in (("train", "aitm_train"), ("dev", "aitm_test"), ("test", "aitm_test")):
        shutil.copy(samples / "paddlerec" / f"{sample}.csv", folder / f"ali-ccp/ctr_cvr.{part}")


def write_kuairand(folder, samples, version):
    """The sample holds the join of log, users and videos: it is taken apart. Returns its rows."""
    data = folder / _KUAIRAND[version] / "data"
    data.mkdir(parents=True)
    with (samples / "scenario-wise-rec" / "kuairand_sample.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    of_users = [name for name in rows[0] if name not in (*_LOG, *_OF_VIDEOS)]
    for number, row in enumerate(rows):
        row |= {"long_view": row["is_click"], "time_ms": _FIRST + number * _STEP}
        row |= {"author_id": "7", "upload_type": "ShortImport", "music_id": "1", "tag": "12,60"}
        row |= {"date": "20220421", "is_rand": "0", "hourmin": "400"}
    log = [*_LOG, "long_view", "time_ms", "date", "hourmin", "is_rand"]
    part = "_part1" if version == "27k" else ""
    _write(data / f"log_standard_4_22_to_5_08_{version}{part}.csv", rows, log)
    _write(data / f"user_features_{version}.csv", rows, ["user_id", *of_users], "user_id")
    videos = ["video_id", "author_id", "upload_type", "music_id", "tag", *_OF_VIDEOS]
    _write(data / f"video_features_basic_{version}.csv", rows, videos, "video_id")
    return rows


def _write(path, rows, columns, key=None):
    """Rows with some columns; of each key the first."""
    seen = {row[key]: row for row in reversed(rows)}.values() if key else rows
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(seen)
