"""Logs of public data sets in their own layouts, in which a few columns decide every label.

All other columns are chance, and no id comes often enough to tell anything: a model ranks the rows
that it has not seen only where each of those columns is read as what it is. Where a data set has
tables of users or items, one of the columns stands there, in another order than the rows do.
"""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

#: Rows that train or validate, and rows of the official test files where there are such.
ROWS, TESTED = 1920, 60
#: Of KuaiRand: days that are logged, the last of which is 8 May 2022 in Beijing; and in milliseconds.
_DAYS, _DAY, _LAST_DAY = 6, 86_400_000, 1651939200000


@dataclasses.dataclass(frozen=True)
class Planted:
    """A data set.

    Attributes:
        write: writes the logs into a folder.
        features: of its experiment file, those that decide a label, those that the file needs, and
            one of each further kind: each costs a run half a second.
        rows: that are to arrive, by split; of splits that are drawn by chance their sum.
        filtered: rows that the experiment leaves out.
        learnt: tasks whose column a short training is to find; all where it is empty.
    """

    write: Callable[[Path], None]
    features: tuple[str, ...]
    rows: dict[str, int]
    filtered: int = 0
    learnt: tuple[str, ...] = ()


def _write(path, rows, header=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([*([header] if header else []), *rows])


def _labels(random, rows):
    """Two columns ``(rows,)`` of 0 and 1: one that decides the first label, one the second."""
    return random.integers(0, 2, rows), random.integers(0, 2, rows)


def _aliexpress(folder):
    """Raw files: click by a column of the searches, conversion by the items' last number."""
    random = np.random.default_rng(1)
    for part, count in (("train", ROWS), ("test", TESTED)):
        searches = count // 4
        kind, price = _labels(random, count)
        kind = kind[:searches].repeat(4)
        users = random.integers(0, 9, (searches, 33)).astype(object)
        users[:, 0], users[:, 31] = range(searches), [f"kind{one}" for one in kind[::4]]
        items = random.random((count, 49)).round(3).astype(object)
        items[:, 0], items[:, 47] = np.arange(count) // 4, price + random.random(count) / 2
        items[:, 48] = kind * (1 + price)
        _write(folder / f"AliExpress_NL/nl_user_{part}.csv", users[::-1])
        _write(folder / f"AliExpress_NL/nl_item_{part}.csv", items)


def _ali_ccp_made(folder):
    """What AITM's code makes: click by a field in the middle, purchase by the last one."""
    random = np.random.default_rng(1)
    header = (
        "click,purchase,101,121,122,124,125,126,127,128,129,205,206,207,216,508,509,702,853,301"
    )
    parts = {"train": (ROWS - TESTED, header), "dev": (TESTED, None), "test": (TESTED, None)}
    for part, (count, names) in parts.items():
        click, buys = _labels(random, count)
        rows = random.integers(0, 4, (count, 20))
        rows[:, 0], rows[:, 1], rows[:, 2] = click, click * buys, range(count)
        rows[:, 8], rows[:, 19] = click + 5, buys + 1
        _write(folder / f"ali-ccp/ctr_cvr.{part}", rows, names and names.split(","))


def _ali_ccp(folder):
    """Raw files: click by a field that a user's impressions have in common, purchase by an own one.

    A field that has several values in a row has the last of them.
    """
    random = np.random.default_rng(1)
    common = ("121", "122", "124", "125", "126", "127", "128", "129", "109_14", "110_14")
    own = ("205", "206", "207", "216", "509", "702", "853", "301", "210", "210")
    for part, count in (("train", ROWS), ("test", TESTED)):
        click, buys = _labels(random, count)
        click = click[: count // 4].repeat(4)
        users = [
            _fields(f"u{user}", [("101", user), ("121", 3 + likes), *_any(random, common[1:])])
            for user, likes in enumerate(click[::4])
        ]
        rows = [
            f"{row},{click[row]},{click[row] * buys[row]},"
            + _fields(f"u{row // 4}", [("508", 9), *_any(random, own), ("508", 5 + buys[row])])
            for row in range(count)
        ]
        place = folder / "ali-ccp"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"common_features_{part}.csv").write_text("".join(f"{u}\n" for u in users[::-1]))
        (place / f"sample_skeleton_{part}.csv").write_text("".join(f"{row}\n" for row in rows))


def _any(random, names):
    return [(name, random.integers(0, 5)) for name in names]


def _fields(key, found):
    return f"{key},{len(found)}," + "\x01".join(
        f"{name}\x02{value}\x031.0" for name, value in found
    )


def _kuairand(name, files):
    """Click by the table of users, long view by that of videos; eight tabs on six days.

    Args:
        name: of the version.
        files: of the log, each of which has as many rows.
    """

    def write(folder):
        random = np.random.default_rng(1)
        click, long_view = _labels(random, ROWS)
        data = folder / f"KuaiRand-{name.upper() if name != 'pure' else 'Pure'}/data"
        rows = [
            {
                "user_id": row,
                "video_id": 7 * row + 1000,
                "is_click": click[row],
                "long_view": long_view[row],
                "tab": row % 8,
                "duration_ms": random.integers(1000, 9000),
                # The first instants of a day, and its last ones.
                "time_ms": _LAST_DAY - row % _DAYS * _DAY + row // _DAYS % 2 * (_DAY - 1),
                "play_time_ms": 0,
            }
            for row in range(ROWS)
        ]
        for place, file in enumerate(files):
            own = [one.values() for one in rows[place :: len(files)]]
            _write(data / file, own, rows[0])
        onehot = [f"onehot_feat{place}" for place in range(18)]
        chance = random.integers(0, 3, (ROWS, len(onehot)))
        active = np.array(["full_active", "low_active"])[click]
        users = [[row, active[row], *chance[row]] for row in reversed(range(ROWS))]
        _write(
            data / f"user_features_{name}.csv", users, ["user_id", "user_active_degree", *onehot]
        )
        upload = np.array(["LongImport", "ShortImport"])[long_view]
        videos = [[7 * row + 1000, row, upload[row], "3,12"] for row in reversed(range(ROWS))]
        header = ["video_id", "author_id", "upload_type", "tag"]
        _write(data / f"video_features_basic_{name}.csv", videos, header)

    return write


def _tenrec(folder):
    """Click and follow by what the user clicked before, like and share by the gender."""
    random = np.random.default_rng(1)
    before, gender = _labels(random, ROWS)
    parts = [f"hist_{place}" for place in range(1, 11)]
    header = ["user_id", "item_id", "click", "follow", "like", "share", "video_category"]
    rows = []
    for row in range(ROWS):
        clicked = random.integers(1, 5, random.integers(1, 11)) + 4 * before[row]
        labels = [before[row], before[row], gender[row], gender[row]]
        who = [row % 3, 0, gender[row], random.integers(0, 5)]
        padding = [0] * (10 - len(clicked))
        rows.append([row, random.integers(1, 9), *labels, *who, *clicked, *padding])
    header += ["watching_times", "gender", "age", *parts]
    _write(folder / "Tenrec/ctr_data_1M.csv", rows, header)


_OF_KUAIRAND = ("user_id", "video_id", "tab", "user_active_degree", "upload_type")
_FILES = [f"log_standard_{days}_{{}}.csv" for days in ("4_08_to_4_21", "4_22_to_5_08")]
#: Of the eight tabs the experiment files of the larger versions take five.
_TAKEN = [row for row in range(ROWS) if row % 8 in (0, 1, 2, 4, 6)]
_OF_DAY = [sum(row % _DAYS == day for row in _TAKEN) for day in range(_DAYS)]

#: By experiment file.
DATA_SETS = {
    "aliexpress_nl": Planted(
        _aliexpress,
        ("search_id", "categorical_8", "numerical_63"),
        {"train+validation": ROWS, "test": TESTED},
    ),
    "ali_ccp": Planted(
        _ali_ccp,
        ("101", "121", "508", "109_14", "210"),
        {"train+validation": ROWS, "test": TESTED},
    ),
    "ali_ccp_aitm": Planted(
        _ali_ccp_made,
        ("101", "127", "301"),
        {"train": ROWS - TESTED, "validation": TESTED, "test": TESTED},
    ),
    # All tabs, most of them gathered in one domain.
    "kuairand_pure": Planted(
        _kuairand("pure", [file.format("pure") for file in _FILES]),
        _OF_KUAIRAND,
        {"train+validation+test": ROWS},
    ),
    # Some of the tabs: five domains, each with an output of its own, for the fewest steps of all.
    "kuairand_1k": Planted(
        _kuairand("1k", [file.format("1k") for file in _FILES]),
        _OF_KUAIRAND,
        {"train+validation+test": len(_TAKEN)},
        ROWS - len(_TAKEN),
        ("click",),
    ),
    # A log in parts, the days that validate and test, a list and a number.
    "kuairand_27k": Planted(
        _kuairand("27k", [file.format(f"27k_part{n}") for file in _FILES for n in (1, 2)]),
        (*_OF_KUAIRAND, "duration_ms", "tag"),
        {"train": sum(_OF_DAY[2:]), "validation": _OF_DAY[1], "test": _OF_DAY[0]},
        ROWS - len(_TAKEN),
    ),
    "tenrec_qk_video": Planted(
        _tenrec,
        ("user_id", "item_id", "gender", "history"),
        {"train+validation+test": ROWS},
    ),
}
