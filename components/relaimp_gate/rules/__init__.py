"""Rules of the gate, by the name that a threshold uses."""

from mtlx.transform.config.registry import Registry

RULES = Registry(
    "gate rule",
    {
        "auc": "mtlx.components.relaimp_gate.rules.auc:AucRule",
        "calibration": "mtlx.components.relaimp_gate.rules.calibration:CalibrationRule",
        "difference": "mtlx.components.relaimp_gate.rules.difference:DifferenceRule",
        "metric": "mtlx.components.relaimp_gate.rules.metric:MetricRule",
        "relaimp": "mtlx.components.relaimp_gate.rules.relaimp:RelaImpRule",
    },
)
