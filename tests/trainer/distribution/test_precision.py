"""Which machines multiply in bfloat16, told from texts and numbers of all kinds of machines."""

import pytest
import tensorflow as tf

from mtlx.trainer.distribution import precision
from mtlx.trainer.distribution.precision import fast_precision, processor_multiplies

#: As Linux writes it of a processor with and one without the instructions, cut short.
CPUINFO = """processor\t: {number}
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC
bugs\t\t: sysret_ss_attrs avx512_bf16_of_another_line
flags\t\t: fpu vme sse4_2 avx2 {flags}
bogomips\t: 5200.00

"""


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    """Tests are limited otherwise."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)


def _cpuinfo(*flags):
    return "".join(CPUINFO.format(number=n, flags=one) for n, one in enumerate(flags))


@pytest.mark.parametrize(
    ("text", "multiplies"),
    [
        (_cpuinfo("avx512f avx512_bf16", "avx512f avx512_bf16"), True),
        (_cpuinfo("amx_bf16 amx_tile"), True),
        (_cpuinfo("avx512f avx512_vnni"), False),
        # As where a task may be moved to any of them.
        (_cpuinfo("avx512_bf16", "avx512_vnni"), False),
        (_cpuinfo("avx512_bf16x"), False),
        # Of ARM, whose flags are called otherwise.
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", False),
        ("flags", False),
        ("", False),
    ],
)
def test_the_processors_flags_say_whether_it_multiplies(text, multiplies):
    assert processor_multiplies(text) is multiplies
    strategy = tf.distribute.get_strategy()
    assert fast_precision(strategy, text) == ("bfloat16" if multiplies else "float32")


def test_without_onednn_the_instructions_are_of_no_use(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    text = _cpuinfo("avx512_bf16")
    assert fast_precision(tf.distribute.get_strategy(), text) == "float32"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("AVX512_CORE_VNNI", "float32"),
        ("avx2", "float32"),
        ("AVX512_CORE_BF16", "bfloat16"),
        ("AVX512_CORE_AMX", "bfloat16"),
        ("ALL", "bfloat16"),
    ],
)
def test_onednn_may_be_limited_to_older_instructions(limit, expected, monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    text = _cpuinfo("avx512_bf16")
    assert fast_precision(tf.distribute.get_strategy(), text) == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ([(8, 0)], "bfloat16"),
        ([(9, 0), (8, 6)], "bfloat16"),
        ([(7, 5)], "float32"),
        ([(9, 0), (7, 0)], "float32"),
        ([None], "float32"),
        ([], "float32"),
    ],
)
def test_of_gpus_all_must_have_the_units_whatever_the_processor(
    monkeypatch, capabilities, expected
):
    monkeypatch.setattr(precision, "device_names", lambda strategy: ["GPU:0"])
    for text in ("", _cpuinfo("avx512_bf16")):
        assert fast_precision(tf.distribute.get_strategy(), text, capabilities) == expected


def test_this_machine_is_asked_where_nothing_is_given(monkeypatch, tmp_path):
    strategy = tf.distribute.get_strategy()
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert fast_precision(strategy) == "float32"
    (tmp_path / "cpuinfo").write_text(_cpuinfo("avx512_bf16"))
    assert fast_precision(strategy) == "bfloat16"
