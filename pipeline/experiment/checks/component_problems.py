"""What the stock components can't do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def component_problems(experiment: "Experiment") -> list[str]:
    """What the stock components can't do.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    problems = []
    split = experiment.data.split
    if experiment.components.example_gen == "stock":
        plain = experiment.data.reader == "csv" and split.by == "file"
        if not plain or any(
            len(getattr(split, name) or ()) != 1 for name in ("train", "validation", "test")
        ):
            problems.append(
                "components.example_gen is 'stock', but CsvExampleGen reads 'csv' with "
                "data.split by file, one pattern for each of train, validation and test"
            )
        if experiment.components.statistics != "stock":
            problems.append(
                "components.example_gen is 'stock': set components.statistics to 'stock' as "
                "well, since CsvExampleGen decides by the values which column is a number"
            )
        if experiment.data.missing_label != "refuse":
            problems.append(
                "components.example_gen is 'stock', but CsvExampleGen leaves no row out: leave "
                "data.missing_label out"
            )
        if experiment.data.join:
            problems.append(
                "components.example_gen is 'stock', but CsvExampleGen joins no tables: leave "
                "data.join out"
            )
        if experiment.domain is not None and experiment.domain.other is not None:
            problems.append(
                "components.example_gen is 'stock', but CsvExampleGen does not gather domains: "
                "leave domain.other out"
            )
        if not all(feature.takes_one for feature in experiment.features.values()):
            problems.append(
                "components.example_gen is 'stock', but CsvExampleGen has no sequences, nor other "
                "lists: take them out of 'features'"
            )
    if experiment.components.transform == "stock" and experiment.transform.reuse is not None:
        problems.append(
            "components.transform is 'stock', but TFX's Transform analyses everything anew: "
            "leave transform.reuse out, or take one_pass"
        )
    if experiment.components.evaluation == "stock":
        problems += [
            "components.evaluation is 'stock', but Evaluator knows rules on the AUC of all "
            f"rows only: gate.thresholds has {threshold.rule!r} on {threshold.slice!r}"
            for threshold in experiment.gate.thresholds
            if threshold.rule != "auc" or threshold.slice != "overall"
        ]
        if experiment.gate.reference is not None:
            problems.append(
                "components.evaluation is 'stock', but Evaluator compares with one baseline "
                "only: leave gate.reference out"
            )
    return problems
