"""Checks of a compiled package that the cluster would make, made before it is written."""

from mtlx.kubeflow.package.strict_checks.check_package import check_package

__all__ = ["check_package"]
