"""Which tasks a compiled package has, and which of them tell the gate's verdict."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from mtlx.transform.config.safe_yaml import SAFE_LOADER

#: TFX nodes that decide, in the order in which they are looked for.
_GATES = ("relaimpgate", "evaluator")
_PUSHER = "pusher"


def task_key(name: str) -> str:
    """A task's name as it is compared: what compilers and backends change is left out."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class RunPlan:
    """The tasks of a package.

    Attributes:
        tasks: names, in the package's order; groups such as conditions are not among them.
        gate: of the task that gives the blessing, or None.
        pusher: of the task that pushes, or None.
        conditions: names of the groups in which the pusher's task lies, the outermost first;
            of a group with a name for people, both, since backends differ in which they list.
    """

    tasks: tuple[str, ...]
    gate: str | None
    pusher: str | None
    conditions: tuple[str, ...]

    @classmethod
    def read(cls, pipeline_yaml: str) -> "RunPlan":
        """Reads a compiled package.

        Raises:
            ValueError: it is none.
        """
        specification = next(yaml.load_all(pipeline_yaml, Loader=SAFE_LOADER), None)
        if not isinstance(specification, dict) or "root" not in specification:
            raise ValueError("the package's first document is no PipelineSpec: it has no 'root'")
        paths = list(_paths(specification["root"]["dag"], specification["components"], ()))
        tasks = tuple(path[-1] for path in paths)
        keys = {task_key(task): task for task in tasks}
        gate = next((keys[name] for name in _GATES if name in keys), None)
        pusher = keys.get(_PUSHER)
        groups = next((path[:-1] for path in paths if path[-1] == pusher), ())
        return cls(tasks, gate, pusher, groups)


def _paths(
    dag: dict[str, Any], components: dict[str, Any], above: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """Names of the groups around each task, and its own."""
    paths = []
    for name, task in dag["tasks"].items():
        component = components[task["componentRef"]["name"]]
        if "dag" in component:
            names = dict.fromkeys((name, task.get("taskInfo", {}).get("name", name)))
            if "condition" not in task.get("triggerPolicy", {}):
                names = {}  # The group of all tasks, whose end is told: no task of it is skipped.
            paths += _paths(component["dag"], components, (*above, *names))
        else:
            paths.append((*above, name))
    return paths
