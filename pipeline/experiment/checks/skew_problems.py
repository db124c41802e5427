"""What `skew` names and nothing carries, and what it needs."""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment


def skew_problems(experiment: "Experiment") -> list[str]:
    """What `skew` names and nothing carries, and what it needs.

    Args:
        experiment: whose sections are looked at.

    Returns:
        A sentence for each, with the remedy.
    """
    skew, path = experiment.skew, experiment.data.serving_path
    if path is None:
        # Left out on purpose, as on a cluster that has none, it is with all that is about it.
        if (
            experiment.skew.model_fields_set
            and "serving_path" not in experiment.data.model_fields_set
        ):
            return [
                "skew is about logs of what was served, and data.serving_path does not name "
                "any: set it, or leave skew out"
            ]
        return []
    problems = [
        f"skew.{key} names no {kind}: {name!r}, {suggest(name, known)}"
        for key, kind, names, known in (
            ("scores", "task", skew.scores, experiment.tasks),
            ("features", "feature", skew.features, experiment.features),
        )
        for name in names
        if name not in known
    ]
    if skew.key is not None and skew.key not in experiment.features:
        problems.append(
            f"skew.key names no feature: {skew.key!r}, {suggest(skew.key, experiment.features)} If "
            f"it is a column, write features.{skew.key}: {{kind: categorical, embed: false}}"
        )
    elif skew.key is not None and not experiment.features[skew.key].takes_one:
        form = experiment.features[skew.key].form
        problems.append(f"skew.key should be one value a row: {skew.key!r} is {form}")
    elif skew.key in experiment.training_only:
        problems.append(
            f"skew.key {skew.key!r} is known only when training (serve_as or dropped), so that no "
            "serving log has it: name another feature"
        )
    if skew.scores and experiment.skew_versions is None:
        problems.append(
            "skew.scores are to be compared with those of the version that made them, but "
            "nothing says where versions lie: set serving.push_to, or skew.versions_in"
        )
    if experiment.components.statistics == "stock":
        problems.append(
            "components.statistics is 'stock', but StatisticsGen counts no values that "
            "serving logs could be held against: leave data.serving_path out"
        )
    return problems
