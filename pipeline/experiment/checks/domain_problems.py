"""Domains that stand for no value."""

from typing import TYPE_CHECKING

from mtlx.components.log_example_gen.values.missing_texts import missing_texts
from mtlx.transform.contract.data_contract import missing_domain_values

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def domain_problems(experiment: "Experiment") -> list[str]:
    """Domains that stand for no value.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    return missing_domain_values(experiment.domain, missing_texts(experiment.data))
