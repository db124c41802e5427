"""Small logs of public data sets in their own layouts, on which their experiment files can run.

Of AliExpress and Ali-CCP as the published codes make them, and of KuaiRand, they hold the rows of
`schema-samples`; Ali-CCP's raw files and Tenrec's are made up in the layouts of their pages.
"""

import csv
import os
import shutil
from pathlib import Path

import numpy as np

ROWS = 120
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


def write_ali_ccp(folder, samples=None):
    """Raw files: users' fields in common, impressions with their own."""
    random = np.random.default_rng(1)
    place = folder / "ali-ccp"
    place.mkdir(parents=True)
    common = ("101", "121", "122", "124", "125", "126", "127", "128", "129")
    lists = ("109_14", "110_14", "127_14", "150_14")
    own = ("205", "206", "207", "216", "508", "509", "702", "853", "301")
    for part in ("train", "test"):
        with (place / f"common_features_{part}.csv").open("w") as file:
            for user in range(10):
                found = [(name, user if name == "101" else user % 3, 1.0) for name in common]
                found += [(name, random.integers(0, 5), 0.5) for name in lists for _ in range(2)]
                file.write(f"u{user},{len(found)},{_ali_ccp_fields(found)}\n")
        with (place / f"sample_skeleton_{part}.csv").open("w") as file:
            for row in range(ROWS):
                click = random.random() < 0.5
                purchase = click and random.random() < 0.5
                found = [(name, random.integers(0, 4), 1.0) for name in (*own, "210", "210")]
                start = f"{row},{click:d},{purchase:d},u{row % 10},{len(found)}"
                file.write(f"{start},{_ali_ccp_fields(found)}\n")


def _ali_ccp_fields(found):
    return "\x01".join(f"{field}\x02{value}\x03{weight}" for field, value, weight in found)


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


def write_tenrec(folder, samples=None):
    """Ten columns of clicks, the last ones empty."""
    random = np.random.default_rng(1)
    (folder / "Tenrec").mkdir(parents=True)
    labels = ("click", "follow", "like", "share")
    header = ["user_id", "item_id", *labels, "video_category", "watching_times", "gender", "age"]
    with (folder / "Tenrec/ctr_data_1M.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*header, *(f"hist_{place}" for place in range(1, 11))])
        for row in range(ROWS):
            found = random.integers(1, 30, random.integers(0, 11)).tolist()
            told = (random.random(4) < 0.4).astype(int).tolist()
            who = [row % 12, random.integers(1, 30), *told, row % 3, 1, row % 2, row % 5]
            writer.writerow([*who, *found, *[0] * (10 - len(found))])


#: By experiment file, what writes its logs: into a folder, of the samples.
WRITERS = {
    "aliexpress_nl": write_aliexpress,
    "ali_ccp": write_ali_ccp,
    "ali_ccp_aitm": write_ali_ccp_aitm,
    "kuairand_pure": lambda folder, samples: write_kuairand(folder, samples, "pure"),
    "kuairand_1k": lambda folder, samples: write_kuairand(folder, samples, "1k"),
    "kuairand_27k": lambda folder, samples: write_kuairand(folder, samples, "27k"),
    "tenrec_qk_video": write_tenrec,
}
#: Those that are made up.
MADE_UP = ("ali_ccp", "tenrec_qk_video")
