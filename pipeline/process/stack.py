"""What differs between the two stacks of libraries, tfx 1.16 and 1.21, and is bridged here.

All else is the same code on both; nothing outside of this file asks for a version. Bridged are

- Beam's local runner: since 2.68 it is Prism, a program that is downloaded (`run_beam_in_process`);
- ML-Metadata's queries: 1.21 has no ``filter_query``, and TFX then reads every execution of the
  pipeline once per node (`read_few_executions`);
- the group of a task's container, which kfp's SDK can set since 2.17 (`run_without_root`);
- what makes a trained model one stack's and not the other's (`libraries`).
"""

import importlib.metadata
from collections.abc import Iterable
from typing import Any

#: Libraries by which the same training, or the same analysis of the same examples, gives other
#: numbers or another graph.
_NUMERIC = ("keras", "lightgbm", "numpy", "tensorflow", "tensorflow-transform", "tfx-bsl")
#: Beam's runner that works in the calling process, as its default runner was before 2.68.
_IN_PROCESS = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
#: Of more executions than these, TFX's way of comparing them is the faster one.
_FEW = 50


def libraries() -> str:
    """Versions of the libraries that a model or a transform graph depends on.

    Part of the cache key of the nodes that make them: what another stack has made is not taken
    for what this one would make.
    """
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _NUMERIC)


def run_beam_in_process() -> None:
    """Makes Beam's pipelines run in this process where nothing else is asked for.

    An argument of the pipeline would do the same, but with any argument TFX packs itself up at
    every node.
    """
    from apache_beam.options.pipeline_options import StandardOptions

    StandardOptions.DEFAULT_RUNNER = _IN_PROCESS


def read_few_executions() -> None:
    """Lets TFX ask ML-Metadata for the executions of one run, not for those of all runs."""
    from tfx.orchestration.portable.mlmd import execution_lib

    execution_lib.get_executions_associated_with_all_contexts = _executions_of_all


def _executions_of_all(metadata_handle: Any, contexts: Iterable[Any]) -> list[Any]:
    """Executions that belong to all the given contexts, in the order of their ids.

    TFX's function of the same arguments, by simple queries. The newest context, which is the
    run's but for a retry after other runs, has the fewest executions.
    """
    store = metadata_handle.store
    first, *others = sorted(contexts, key=lambda context: -context.id)
    found = store.get_executions_by_context(first.id)
    wanted = {context.id for context in others}
    if len(found) <= _FEW:
        of = store.get_contexts_by_execution
        found = [one for one in found if wanted <= {context.id for context in of(one.id)}]
    else:
        for context in others:
            members = {one.id for one in store.get_executions_by_context(context.id)}
            found = [one for one in found if one.id in members]
    return sorted(found, key=lambda one: one.id)


def run_without_root(task: Any, group: int) -> None:
    """Says that a Kubeflow task is not root's, and whose group it has, where kfp's SDK can.

    Namespaces that enforce Kubernetes' restricted standard want the first to be said; the second
    holds for installations that give tasks a user of their own as well.

    Args:
        task: of a pipeline.
        group: number of the group that the volumes belong to.
    """
    from kfp import kubernetes

    if hasattr(kubernetes, "set_security_context"):
        kubernetes.set_security_context(task, run_as_group=group, run_as_non_root=True)
