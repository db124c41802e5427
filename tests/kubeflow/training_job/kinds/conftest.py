"""What the jobs of either kind are built of."""

import pytest

#: Settings that use all there is.
LARGE = {
    "workers": 4,
    "cpu": "8",
    "cpu_limit": "16",
    "memory": "32Gi",
    "memory_limit": "48Gi",
    "gpu": 2,
    "gpu_type": "nvidia.com/gpu",
    "shared_memory": "8Gi",
    "node_selector": {"accelerator": "h100"},
    "tolerations": [
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "spot", "value": "yes", "effect": "NoExecute", "toleration_seconds": 60},
    ],
    "env": {"NCCL_DEBUG": "WARN"},
    "volumes": [
        {"claim": "mtlx-root", "mount": "/pipeline"},
        {"claim": "logs", "mount": "/logs"},
        {"claim": "mtlx-root", "mount": "/again"},
    ],
    "secrets": [
        {"name": "bucket", "mount": "/secrets/bucket"},
        {"name": "keys", "env": {"access-key": "ACCESS_KEY"}},
    ],
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "service_account": "trainer",
    "timeout_seconds": 7200,
}


@pytest.fixture
def large():
    return LARGE
