"""Which names features, labels, tasks and domains may bear: those that every later step can take.

TensorFlow makes the names of inputs of a served signature from those of features, Transform files
and operations, the gate's thresholds pattern from names of tasks. What one of them can't take, or
would silently change into the name of another, is refused when the contract is read.
"""

import re
from collections.abc import Iterable, Mapping

from mtlx.transform.contract.model_inputs import DOMAIN_ID

#: Longest name; a file name of a vocabulary takes 255 bytes with what is added to it.
LONGEST_NAME = 200

_FEATURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
#: TensorFlow's generated functions have an argument of this name.
_RESERVED = {DOMAIN_ID: "the model's input with the domain's index", "self": "TensorFlow's"}
#: In `evaluation.slices`, the domain's feature, whatever its name.
DOMAIN_ALIAS = "domain"
_WILDCARDS = "*?[]\\"


def served_name(feature: str) -> str:
    """Name of a feature's input in the columns signature: ``price.eur`` becomes ``price_eur``.

    TensorFlow takes letters, digits and ``_`` there, and no digit in front.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", feature)
    return f"arg_{name}" if name[0].isdigit() else name


def name_problems(
    features: Iterable[str],
    labels: Mapping[str, str],
    domain_feature: str | None,
    domain_values: Iterable[str],
) -> list[str]:
    """What is wrong with the names of a data contract.

    Args:
        features: names of the features.
        labels: label column by task.
        domain_feature: the feature that the domain is read from, or None.
        domain_values: names of the domains.

    Returns:
        One sentence per problem, each beginning with the key path.
    """
    features = list(features)
    problems = [
        *(f"features.{_shown(name)}: {why}; {_REMEDY}" for name in features if (why := _of(name))),
        *_equal_when_served(features),
        *_label_problems(features, labels),
        *(f"tasks.{_shown(name)}: {why}" for name in labels if (why := _of_task(name))),
    ]
    if DOMAIN_ALIAS in features and domain_feature not in (None, DOMAIN_ALIAS):
        problems.append(
            f"features.{DOMAIN_ALIAS}: in slices {DOMAIN_ALIAS!r} stands for the domain's "
            f"feature, which is {domain_feature!r}; {_REMEDY}"
        )
    for value in domain_values:
        if not value or not value.isprintable():
            problems.append(
                f"domain.values: {value!r} can be no name of a domain: it is empty, or has "
                "characters that can't be printed"
            )
    return problems


_REMEDY = "give the feature another name, and the log's with column: NAME"


def _shown(name: str) -> str:
    return name if name and len(name) <= LONGEST_NAME and name.isprintable() else repr(name[:40])


def _of(feature: str) -> str | None:
    """Why a feature can't have this name."""
    if feature in _RESERVED:
        return f"the name is taken: it is {_RESERVED[feature]}"
    if len(feature) > LONGEST_NAME:
        return f"the name has {len(feature)} characters; at most {LONGEST_NAME} are taken"
    if not _FEATURE.fullmatch(feature):
        return (
            "a feature's name goes into files and served signatures: English letters, digits, "
            "'_', '.' and '-', with a letter or digit in front"
        )
    return None


def _equal_when_served(features: list[str]) -> list[str]:
    """Features that a served signature would give one name; TensorFlow overlooks case, too."""
    owner: dict[str, str] = {}
    problems = []
    for name in features:
        served = served_name(name).lower() if name else ""
        if served in owner:
            problems.append(
                f"features.{_shown(name)}: TensorFlow does not tell the name from that of feature "
                f"{_shown(owner[served])}, when the model is served; {_REMEDY}"
            )
        owner.setdefault(served, name)
    return problems


def _label_problems(features: list[str], labels: Mapping[str, str]) -> list[str]:
    problems = []
    for task, label in labels.items():
        where = f"tasks.{_shown(task)}.label"
        if label in features:
            problems.append(
                f"{where}: features.{_shown(label)} has the name of the label column, under which "
                f"the label travels; {_REMEDY}"
            )
        elif label == DOMAIN_ID:
            problems.append(f"{where}: {label!r} is taken by {_RESERVED[label]}; rename the column")
        elif not label or not label.isprintable() or len(label) > LONGEST_NAME:
            problems.append(
                f"{where}: {label[:40]!r} should be 1 to {LONGEST_NAME} characters that can be "
                "printed; rename the column"
            )
    return problems


def _of_task(name: str) -> str | None:
    """Why a task can't have this name."""
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        return f"a task's name has 1 to {LONGEST_NAME} characters that can be printed"
    if any(mark in name for mark in _WILDCARDS):
        return f"a task's name has none of {_WILDCARDS}, which are wildcards in gate.thresholds"
    return None
