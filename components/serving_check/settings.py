"""Settings of the serving check: `serving.check` of the experiment file."""

from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings

_Positive = Annotated[float, pydantic.Field(gt=0.0, allow_inf_nan=False)]


class LatencyLimit(Settings):
    """What a request may take; either against the model that serves now, or in milliseconds.

    Attributes:
        rows: of the request.
        quantile: ``p50`` or ``p99`` of the measured calls.
        ratio: most times that the served model takes for the same rows in the same minute;
            without a served model it does not apply.
        milliseconds: most milliseconds, on a machine that you know.
    """

    rows: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 100
    quantile: Literal["p50", "p99"] = "p50"
    ratio: _Positive | None = None
    milliseconds: _Positive | None = None

    @pydantic.model_validator(mode="after")
    def _says_one_thing(self) -> "LatencyLimit":
        if (self.ratio is None) == (self.milliseconds is None):
            raise ValueError("give either ratio or milliseconds, for example {ratio: 1.5}")
        return self


class ServingCheckSettings(Settings):
    """How a model is served on trial before it is pushed.

    Attributes:
        tolerance: most that a served probability may differ from the evaluated one.
        rows: sizes of the requests whose latency is measured.
        calls: timed calls of each size, of either model.
        latency: limits; one blocks where it is passed in three measurements on end. None blocks
            by default, since machines differ.
        warm_up_rows: real rows that the pushed model holds as warm-up requests, which TensorFlow
            Serving replays when it loads the model; 0 for none, say where no user's values may
            leave the logs.
        timeout_seconds: longest silence of the process, loading the model included; one that
            says nothing for longer hangs.
    """

    tolerance: _Positive = 1e-5
    rows: list[Annotated[int, pydantic.Field(ge=1, le=10_000)]] = [1, 100, 500]
    calls: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 30
    latency: list[LatencyLimit] = []
    warm_up_rows: Annotated[int, pydantic.Field(ge=0, le=500)] = 100
    timeout_seconds: _Positive = 300.0

    @pydantic.model_validator(mode="after")
    def _measures_what_is_limited(self) -> "ServingCheckSettings":
        for limit in self.latency:
            if limit.rows not in self.rows:
                raise ValueError(
                    f"latency: a limit is on requests of {limit.rows} rows, but rows, whose "
                    f"latency is measured, is {self.rows}: add {limit.rows} to rows"
                )
        return self
