"""Runs every rule on a compiled package."""

from collections.abc import Callable, Iterator

from mtlx.kubeflow.package.package_refused import PackageRefused
from mtlx.kubeflow.package.strict_checks.documents import Documents, read_documents
from mtlx.kubeflow.package.strict_checks.executor_rules import executor_problems
from mtlx.kubeflow.package.strict_checks.graph_rules import graph_problems
from mtlx.kubeflow.package.strict_checks.pipeline_rules import pipeline_problems
from mtlx.kubeflow.package.strict_checks.platform_rules import platform_problems
from mtlx.kubeflow.package.strict_checks.retry_rules import retry_problems

#: Largest package, in bytes: a workflow holds it whole, and etcd refuses objects above 1.5 MiB.
LARGEST_PACKAGE = 1024 * 1024

RULES: tuple[Callable[[Documents], Iterator[str]], ...] = (
    pipeline_problems,
    executor_problems,
    graph_problems,
    platform_problems,
    retry_problems,
)


def check_package(text: str) -> None:
    """Refuses a package that the backend would refuse, or run otherwise than meant.

    Args:
        text: the YAML of both documents.

    Raises:
        PackageRefused: lists every problem.
    """
    documents = read_documents(text)
    problems = [problem for rule in RULES for problem in rule(documents)]
    size = len(text.encode())
    if size > LARGEST_PACKAGE:
        problems.append(f"the package has {size} bytes, more than {LARGEST_PACKAGE}")
    if problems:
        raise PackageRefused([f"compiled package: {problem}" for problem in problems])
