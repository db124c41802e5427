"""The order of the test files: the longest first, so that no process is left with one at the end."""

#: Files that take more than half a minute, by their share of the whole.
LONGEST_FIRST = (
    "kubeflow/test_beam_runners.py",
    "trainer/test_worker_group.py",
    "kubeflow/rehearsal/test_rehearse.py",
    "pipeline/test_interrupted_run.py",
    "pipeline/test_stock_components.py",
    "trainer/test_devices.py",
    "transform/test_preprocessing.py",
    "trainer/training_methods/test_multi_domain_devices.py",
    "trainer/training_methods/test_gate_trim.py",
    "trainer/test_contract.py",
    "kubeflow/training_job/test_run_fn.py",
    "kubeflow/test_compiler.py",
    "trainer/training_methods/test_gradient_boosting.py",
)


def pytest_collection_modifyitems(items):
    def place(item):
        for index, name in enumerate(LONGEST_FIRST):
            if item.path.as_posix().endswith("tests/" + name):
                return index
        return len(LONGEST_FIRST)

    items.sort(key=place)
