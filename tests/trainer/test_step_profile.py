"""What `benchmarks.step_profile` makes of what TensorFlow's profiler writes."""

import time

import pytest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks.step_kinds import NORMALISATION, OPTIMISER, PRODUCTS, REST, kind_of
from benchmarks.step_profile import Interval, divided, intervals_of
from benchmarks.thread_times import ThreadTimes, processor_seconds


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model/gate/add:_MklNativeFusedMatMul", PRODUCTS),
        ("model/layer_normalization/MatMul:MatMul", PRODUCTS),
        ("gradient_tape/model/einsum/Einsum_1:_MklEinsum", PRODUCTS),
        ("UnsortedSegmentSum:UnsortedSegmentSum", "look-ups"),
        ("model/field_embedding/GatherV2:GatherV2", "look-ups"),
        ("model/mul:Mul", "element-wise"),
        ("model/Maximum:Maximum", "element-wise"),
        ("gradient_tape/model/ReluGrad:ReluGrad", "element-wise"),
        ("model/Max:Max", "reductions"),
        ("model/add:BiasAddGrad", "reductions"),
        ("gradient_tape/model/add/Sum:Sum", "reductions"),
        ("model/transpose:_MklTranspose", "copies"),
        ("gradient_tape/model/strided_slice/StridedSliceGrad:StridedSliceGrad", "copies"),
        ("model/Softmax:_MklSoftmax", NORMALISATION),
        ("gradient_tape/parallel_batch_normalization/mul/Sum:Sum", NORMALISATION),
        ("adam/Square_1:Square", OPTIMISER),
        ("lazy_adam/ResourceApplyAdam:ResourceApplyAdam", OPTIMISER),
        ("model/ReadVariableOp:ReadVariableOp", REST),
    ],
)
def test_kinds(name, kind):
    scope, _, operation = name.rpartition(":")
    assert kind_of(scope, operation) == kind


def test_an_instant_is_divided_between_what_runs():
    times = [(0.0, 4.0), (1.0, 3.0), (2.0, 3.0), (6.0, 7.0)]
    intervals = [Interval(*both, "operation") for both in times]
    # 0 to 1 a; 1 to 2 a half; 2 to 3 a third; 3 to 4 a; 6 to 7 a.
    assert divided(intervals) == pytest.approx([1 + 1 / 2 + 1 / 3 + 1, 1 / 2 + 1 / 3, 1 / 3, 1])


def test_operations_are_read_and_nothing_around_them():
    space = xplane_pb2.XSpace()
    plane = space.planes.add()
    names = ["step_profile_mark", "model/MatMul:MatMul", "Executor::Run", "call:PartitionedCall"]
    line = plane.lines.add(timestamp_ns=2_000_000_000)
    for number, name in enumerate(names):
        plane.event_metadata[number].name = name
        start = (1 + number) * 10**12
        line.events.add(metadata_id=number, offset_ps=start, duration_ps=5 * 10**11)
    found = intervals_of(space.SerializeToString(), marked=100.0)
    assert found == [Interval(101.0, 101.5, names[1])]


def test_a_thread_without_a_core_spends_nothing():
    samples = [(10.0, 1.0), (11.0, 2.0), (15.0, 2.0), (16.0, 3.0)]
    assert processor_seconds(samples, 10.5, 15.5) == pytest.approx(1.0)
    assert processor_seconds(samples, 12.0, 14.0) == 0.0
    assert processor_seconds([], 12.0, 14.0) == 2.0


def test_threads_are_sampled():
    spent = time.process_time()
    with ThreadTimes() as times:
        started = time.time()
        while time.process_time() - spent < 0.2:
            pass
        end = time.time()
    # Where other work takes the cores the sampler comes late.
    assert 0.05 < times.between(started, end) <= end - started
