"""What the papers claim of one system over another, beside what comparisons found.

    python -m benchmarks.claims                     # a table per data set, as Markdown
    python -m benchmarks.claims census_income

`benchmarks/claims.yaml` has the claims and, per data set, the `mtlx compare` that checks them; its
records lie in `benchmarks/measured`. A claim is confirmed where the difference is
decided and has the paper's sign, refuted where it is decided and has the other, and undecided
where chance alone might give it. Decided means by Holm's (1979) rule for all claims of a data set
together, from intervals over users (or rows) and seeds.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mtlx.pipeline.compare.ranking import holm

CLAIMS = Path(__file__).parent / "claims.yaml"
RECORDS = Path(__file__).parent / "measured"
#: The slice on which claims hold.
_ALL_ROWS = "overall"


@dataclass(frozen=True)
class Found:
    """What a comparison has of a claim, in one task.

    Attributes:
        better: label of the system that the paper has above the other.
        worse: of the other.
        task: of the claim.
        published: by how much the paper has it above, in AUC.
        value: by how much it is here; None where it was not measured.
        lower: of its interval.
        upper: likewise.
        p_value: two-sided, of no difference.
    """

    better: str
    worse: str
    task: str
    published: float
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None


def main() -> None:
    data_sets = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_sets", nargs="*", metavar="DATA_SET", help=", ".join(data_sets))
    chosen = parser.parse_args().data_sets or list(data_sets)
    if unknown := sorted(set(chosen) - set(data_sets)):
        parser.error(f"unknown data set {unknown[0]!r}; there are {', '.join(data_sets)}")
    for name in chosen:
        print(text_of(data_sets[name], read_records(data_sets[name]["records"])) + "\n")


def read_records(names: Sequence[str], folder: Path = RECORDS) -> list[dict[str, Any]]:
    """The comparisons that are there; one that has not been made yet is left out."""
    paths = [folder / name for name in names]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def text_of(data_set: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    """The table of a data set's claims, below its title and command.

    Args:
        data_set: of `CLAIMS`.
        records: `comparison.json` of each comparison.
    """
    found = [
        found_of(claim, task, records)
        for claim in data_set["claims"]
        for task in claim["published"]
    ]
    confidence = records[0]["confidence"] if records else 0.95
    lines = [
        f"**{data_set['title']}**, {_seeds(records)}",
        "",
        f"    {data_set['command']}",
        "",
        "| claim | task | paper | measured | |",
        "|---|---|---|---|---|",
    ]
    for one, verdict in zip(found, verdicts(found, 1 - confidence), strict=True):
        claim = f"`{one.better}` is better than `{one.worse}`"
        lines.append(
            f"| {claim} | {one.task} | {one.published:+.4f} | {_measured(one)} | {verdict} |"
        )
    return "\n".join(lines)


def found_of(claim: Mapping[str, Any], task: str, records: Sequence[Mapping[str, Any]]) -> Found:
    """What the first record that has both sides says of a claim in a task."""
    better, worse = claim["better"], claim["worse"]
    empty = Found(better, worse, task, claim["published"][task])
    for record in records:
        sides = {better: 1, worse: -1}
        if record["reference"] not in sides:
            continue
        other = next(side for side in sides if side != record["reference"])
        rows = [row for row in record["rows"] if row["label"] == other]
        difference = rows[0]["over_reference"].get(f"{task}, {_ALL_ROWS}") if rows else None
        if difference is None or difference["value"] is None:
            continue
        sign = sides[other]
        bounds = (difference["lower"], difference["upper"])
        lower, upper = bounds if sign > 0 else tuple(_negative(bound) for bound in bounds[::-1])
        value = sign * difference["value"]
        return Found(
            better, worse, task, empty.published, value, lower, upper, difference["p_value"]
        )
    return empty


def verdicts(found: Sequence[Found], level: float) -> list[str]:
    """Of each claim: confirmed, refuted, undecided, or not measured."""
    tested = {str(place): one.p_value for place, one in enumerate(found) if one.p_value is not None}
    decided = holm(tested, level)
    said = []
    for place, one in enumerate(found):
        if one.value is None:
            said.append("not measured")
        elif str(place) not in decided:
            said.append("undecided")
        else:
            said.append("confirmed" if one.value > 0 else "refuted")
    return said


def _negative(bound: float | None) -> float | None:
    return None if bound is None else -bound


def _measured(one: Found) -> str:
    if one.value is None:
        return "–"
    if one.lower is None or one.upper is None:
        return f"{one.value:+.4f}"
    return f"{one.value:+.4f} [{one.lower:+.4f}, {one.upper:+.4f}]"


def _seeds(records: Sequence[Mapping[str, Any]]) -> str:
    if not records:
        return "not measured yet"
    counts = sorted({record["seeds"] for record in records})
    return f"{' and '.join(map(str, counts))} seeds"


if __name__ == "__main__":
    main()
