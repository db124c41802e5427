"""A result with something beyond in each of its parts."""

from mtlx.components.drift_guard.drift_result import Comparison, FeatureDrift, Movement
from mtlx.components.skew_guard.skew_result import Joined, JoinedFeature, ScoreSkew, Skew

PRICE = Movement("price", "jensen_shannon", 0.4, 0.01, 0.05)
AGE = Movement("<age>", "missing", 0.1, 0.09, 0.05, 0.2, 0.1)


def made_skew():
    """The result."""
    features = (
        FeatureDrift("price", "numeric", 7.8, (PRICE,), ("1", "2"), (0.9, 0.1), (0.2, 0.8)),
        FeatureDrift("<age>", "numeric", 0.2, (AGE,)),
    )
    comparison = Comparison("what was served", "its logs", 1000, 1200, features, ())
    versions = {"7": (400, 0), "12": (500, 90)}
    score = ScoreSkew(
        "click", "p", 1000, 2, 0, 1, 900, 90, 0.25, 1e-4, 0.01, ("up to 1", "above"), (0.9, 0.1),
        versions,
    )  # fmt: skip
    joined = Joined(
        "id", 1000, 950, (JoinedFeature(Movement("price", "unequal", 0.5, 0.0, 0.01), 1.0),)
    )
    return Skew(comparison, (score,), joined, "", ("Serving skew: version 3 is gone",))
