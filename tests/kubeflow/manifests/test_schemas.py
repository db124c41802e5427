"""Kubernetes' schemas of every release that the manifests are for, as far as the validator has it."""

import kubernetes_validate
import pytest
from kubernetes_validate.utils import VersionNotSupportedError

from tests.kubeflow.kustomization import build
from tests.kubeflow.manifests.conftest import MANIFESTS

#: Beside the oldest and 1.32, which test_manifests.py has for each overlay.
RELEASES = ("1.33", "1.34", "1.35", "1.36")


def _check(item, release):
    try:
        kubernetes_validate.validate(item, release, strict=True)
    except VersionNotSupportedError:
        pytest.skip(f"the installed validator has no schemas of {release}")


@pytest.mark.parametrize("release", RELEASES)
def test_newer_releases_take_the_manifests(objects, release):
    for item in objects.values():
        _check(item, release)


@pytest.mark.parametrize("release", ["1.28", "1.32", *RELEASES])
def test_releases_take_what_is_applied_by_itself(release):
    """The restore, and of the monitoring what is Kubernetes' own."""
    for item in build(MANIFESTS / "restore"):
        _check(item, release)
    for item in build(MANIFESTS / "monitoring"):
        if not item["apiVersion"].startswith("monitoring.coreos.com/"):
            _check(item, release)
