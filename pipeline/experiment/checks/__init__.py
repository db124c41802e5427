"""What sections of an experiment ask of each other: a file each, and a line in `CHECKS`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mtlx.pipeline.experiment.checks.component_problems import component_problems
from mtlx.pipeline.experiment.checks.domain_problems import domain_problems
from mtlx.pipeline.experiment.checks.drift_problems import drift_problems
from mtlx.pipeline.experiment.checks.evaluation_problems import evaluation_problems
from mtlx.pipeline.experiment.checks.gate_problems import gate_problems
from mtlx.pipeline.experiment.checks.late_label_problems import late_label_problems
from mtlx.pipeline.experiment.checks.row_problems import row_problems
from mtlx.pipeline.experiment.checks.skew_problems import skew_problems
from mtlx.pipeline.experiment.checks.split_problems import split_problems
from mtlx.pipeline.experiment.checks.training_problems import training_problems

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment

#: Each gives a sentence per problem; in the order in which they are said.
CHECKS: "tuple[Callable[[Experiment], list[str]], ...]" = (
    evaluation_problems,
    gate_problems,
    component_problems,
    training_problems,
    domain_problems,
    split_problems,
    drift_problems,
    skew_problems,
    late_label_problems,
    row_problems,
)
