"""Rules of the gate, by the name that a threshold uses."""

from transform.registry import Registry

RULES = Registry(
    "gate rule",
    {
        "auc": "components.relaimp_gate.rules.auc:AucRule",
        "calibration": "components.relaimp_gate.rules.calibration:CalibrationRule",
        "relaimp": "components.relaimp_gate.rules.relaimp:RelaImpRule",
    },
)
