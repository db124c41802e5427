"""Settings of the slice evaluation: the `evaluation` section of the experiment file."""

from typing import Annotated

import pydantic

from mtlx.components.slice_evaluation.metrics.metric_names import build_metric, needed_keys
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS


class EvaluationSettings(Settings):
    """What is measured, on which rows, and how sure the intervals have to be.

    Attributes:
        slices: each entry is one cross of features, by name; ``domain`` stands for the data
            contract's domain feature. The overall slice is always measured. A row that lacks a
            value of one of the features is in the slice ``feature=(missing)``, so that the slices
            of a cross add up to overall; a value that itself reads ``(missing)`` is shown as
            ``((missing))``.
        user_key: feature whose rows are correlated (the user's id): intervals then treat a user's
            rows as one cluster (Obuchowski 1997). None treats rows as independent (DeLong 1988),
            and warns where the rows of one value of a categorical feature are alike.
        request_key: feature whose rows are one request, a page or a session that was ranked as
            one (its id): what `ndcg`, `mrr` and `recall` are made of. Rows of one request of two
            users are two requests; rows without one are in none. A request without a user counts
            as a user of its own.
        metrics: what is measured beside the AUC, RelaImp, log loss and calibration, which always
            are: ``normalised_entropy``, ``ece``, ``rmse``, ``xauc``; with `user_key` ``gauc``
            and ``gauc_equal``; with `request_key` ``ndcg``, ``mrr`` and ``recall``, of the first
            k rows as ``ndcg@10``. Each has an interval, a paired one for the difference between
            two models, and can be asked of by the gate.
        confidence: of the two-sided intervals, in (0, 1).
        split: of the raw examples; nothing else may have read it.
        batch_size: rows per call of a model; large, since parsing has a cost per call.
        maximum_slices: more slices than this are refused, since memory grows with them: a
            feature with one value per user is a `user_key` and no slice.
    """

    slices: list[Annotated[list[str], pydantic.Field(min_length=1)]] = [[DOMAIN_ALIAS]]
    user_key: str | None = None
    request_key: str | None = None
    metrics: list[str] = ["auc", "log_loss", "calibration", "normalised_entropy", "ece", "rmse"]
    confidence: Annotated[float, pydantic.Field(gt=0.0, lt=1.0)] = 0.95
    split: str = "test"
    batch_size: pydantic.PositiveInt = 8192
    maximum_slices: pydantic.PositiveInt = 10_000

    @pydantic.field_validator("metrics")
    @classmethod
    def _metrics_exist(cls, names: list[str]) -> list[str]:
        for name in names:
            build_metric(name)
        return names

    @pydantic.model_validator(mode="after")
    def _keys_are_named(self) -> "EvaluationSettings":
        for key, metric in needed_keys(self.metrics).items():
            if getattr(self, key) is None:
                meaning = "tells users apart" if key == "user_key" else "tells requests apart"
                raise ValueError(
                    f"metric {metric!r} needs {key}: name the feature that {meaning}, or take "
                    f"{metric!r} out of evaluation.metrics"
                )
        return self
