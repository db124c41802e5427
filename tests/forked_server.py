"""What the server has imported before it forks (see `forked_process`), by the same rules as tests.

What a forked process finds imported is not imported by its tests: a warning that fails them must
fail here.
"""

import gc
import importlib
import warnings

#: What commands and tests import that takes long.
MODULES = (
    "mtlx.components.anomaly_guard.executor",
    "mtlx.components.batch_statistics_gen.executor",
    "mtlx.components.log_example_gen.executor",
    "mtlx.components.one_pass_transform.executor",
    "mtlx.components.slice_evaluation.executor",
    "mtlx.kubeflow.page",
    "mtlx.kubeflow.package.compiled_pipeline",
    "mtlx.pipeline.graph.graph",
    "mtlx.pipeline.run.local_run",
    "mtlx.pipeline.run.node_run",
    "mtlx.trainer.run_fn",
    "tfx.components.trainer.executor",
    "kfp.compiler",
    "kubernetes_validate",
    "lightgbm",
    "sklearn.linear_model",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
)

# All of it stays: there is no garbage to look for, neither here nor in the forked processes.
gc.disable()
with warnings.catch_warnings():
    for category in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings("ignore", category=category)
        warnings.filterwarnings("error", category=category, module=r"(mtlx|tests|benchmarks)(\.|$)")
    for module in MODULES:
        importlib.import_module(module)
gc.freeze()
gc.enable()
