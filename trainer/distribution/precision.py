"""In which precision a machine's devices multiply fast: what ``training.precision: auto`` asks."""

import os
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from mtlx.trainer.distribution.devices import device_names

#: Precisions that a training computes in, and Keras's name of the policy that does.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
#: Where Linux tells what the processor can.
CPUINFO = Path("/proc/cpuinfo")
#: Instructions that multiply bfloat16, by Linux's names. TensorFlow reaches them through oneDNN.
_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}
#: Limits of `ONEDNN_MAX_CPU_ISA`, by which oneDNN leaves them alone; the others let it use them.
_WITHOUT = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
#: First compute capability of NVIDIA's cards with units for bfloat16 (Ampere).
_FIRST_CARD = (8, 0)


def fast_precision(
    strategy: tf.distribute.Strategy,
    cpuinfo: str | None = None,
    capabilities: Sequence[tuple[int, int] | None] | None = None,
) -> str:
    """``bfloat16`` where all devices of a strategy multiply in it here, else ``float32``.

    Without the instructions a processor takes many times as long in bfloat16 as in float32, so
    what is not known to have them counts as not having them.

    Args:
        strategy: the devices.
        cpuinfo: text in the form of `CPUINFO`; that of this machine if None, empty where there is
            no such file.
        capabilities: compute capability of each of this machine's GPUs, None where it has none to
            tell; asked of TensorFlow if None.
    """
    if any("GPU" in name for name in device_names(strategy)):
        found = _capabilities() if capabilities is None else capabilities
        fast = bool(found) and all(one is not None and one >= _FIRST_CARD for one in found)
    else:
        fast = processor_multiplies(_cpuinfo() if cpuinfo is None else cpuinfo)
        # oneDNN can be switched off, or limited; what is left has no use for the instructions.
        fast = fast and os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
        fast = fast and os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper() not in _WITHOUT
    return "bfloat16" if fast else "float32"


def processor_multiplies(cpuinfo: str) -> bool:
    """Whether every processor of a text like `CPUINFO` has an instruction for bfloat16."""
    lines = [line for line in cpuinfo.splitlines() if line.split(":")[0].strip() == "flags"]
    flags = [set(line.split(":", 1)[1].split()) for line in lines if ":" in line]
    return bool(flags) and all(_INSTRUCTIONS & of_one for of_one in flags)


def _cpuinfo() -> str:
    return CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else ""


def _capabilities() -> list[tuple[int, int] | None]:
    """Of the GPUs that TensorFlow sees on this machine."""
    cards = tf.config.list_physical_devices("GPU")
    return [
        tf.config.experimental.get_device_details(card).get("compute_capability") for card in cards
    ]
