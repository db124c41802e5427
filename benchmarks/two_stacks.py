"""Whether a model that one stack pushed gives the other stack's TensorFlow the same probabilities.

Once on each stack, with the same arguments but for the last, then anywhere:

    python -m benchmarks.two_stacks score MODEL LOGS OLDER.csv
    python -m benchmarks.two_stacks score MODEL LOGS NEWER.csv
    python -m benchmarks.two_stacks compare OLDER.csv NEWER.csv

MODEL is a pushed SavedModel, LOGS a pattern of CSV files. The last command prints the largest
difference of each task and exits with 1 where one is above 1e-5.
"""

import argparse
import glob
import sys

import numpy as np
import pandas as pd

#: Largest difference of two probabilities that rounding explains.
TOLERANCE = 1e-5


def score(model: str, logs: str, out: str) -> None:
    """Writes the probabilities of all rows."""
    from mtlx.trainer.serving.scoring import Scorer

    frame = pd.concat([pd.read_csv(path) for path in sorted(glob.glob(logs))], ignore_index=True)
    scorer = Scorer(model)
    scored = scorer.score(frame)
    scored.to_csv(out, index=False, float_format="%.9g")
    print(f"{scorer.path}: {len(frame)} rows, means {scored.mean().round(6).to_dict()}")


def compare(first: str, second: str) -> int:
    """Prints the largest differences; returns the exit code."""
    one, other = pd.read_csv(first), pd.read_csv(second)
    if list(one.columns) != list(other.columns) or len(one) != len(other) or not len(one):
        print(f"{first} and {second} are not of the same rows and tasks")
        return 1
    worst = {task: float(np.abs(one[task] - other[task]).max()) for task in one.columns}
    for task, difference in worst.items():
        spread = float(one[task].max() - one[task].min())
        print(f"{task}: {len(one)} rows, largest difference {difference:.1e}, range {spread:.3f}")
    return int(not max(worst.values()) <= TOLERANCE)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("score")
    for name in ("model", "logs", "out"):
        scoring.add_argument(name)
    comparing = commands.add_parser("compare")
    for name in ("first", "second"):
        comparing.add_argument(name)
    arguments = parser.parse_args()
    if arguments.command == "score":
        score(arguments.model, arguments.logs, arguments.out)
        return 0
    return compare(arguments.first, arguments.second)


if __name__ == "__main__":
    sys.exit(main())
