"""Kinds of TensorFlow operations that a training step spends its time on."""

PRODUCTS = "products"
OPTIMISER = "optimiser"
NORMALISATION = "softmax, normalisation"
REST = "rest"

#: Beginnings of operations' names, by kind.
_KINDS = {
    "look-ups": (
        "Gather", "ResourceGather", "UnsortedSegment", "Segment", "SparseSegment", "Scatter",
        "ResourceScatter", "TensorScatter", "Unique", "OneHot",
    ),
    NORMALISATION: ("Softmax", "LogSoftmax", "LayerNorm", "FusedBatchNorm"),
    "reductions": (
        "Sum", "Mean", "Max", "Min", "Prod", "Any", "All", "BiasAddGrad", "Cumsum", "ArgMax",
        "L2Loss",
    ),
    "copies": (
        "Transpose", "ConjugateTranspose", "Concat", "Slice",
        "StridedSlice", "Split", "Pack", "Unpack", "BroadcastTo", "Tile", "Pad",
        "MirrorPad", "Reverse", "Roll", "Cast", "Copy", "DeepCopy", "TensorList", "Fill",
        "ZerosLike", "OnesLike", "Snapshot", "Stack", "DynamicStitch",
    ),
    "element-wise": (
        "Add", "BiasAdd", "Sub", "Mul", "Div", "RealDiv", "Neg", "Relu", "LeakyRelu", "Sigmoid",
        "Tanh", "Softplus", "Exp", "Log", "Sqrt", "Rsqrt", "Square", "Pow", "Select", "Maximum",
        "Minimum", "Equal", "NotEqual", "Greater", "Less", "Logical", "Abs", "Sign", "Reciprocal",
        "Inv", "Erf", "Where", "Floor", "Swish", "Xdivy", "Xlogy", "IsFinite",
    ),
}  # fmt: skip
#: In the order in which they are told.
KINDS = (PRODUCTS, "look-ups", "element-wise", "reductions", "copies", NORMALISATION, OPTIMISER)
#: Operations that call others, which are counted themselves.
CALLING = (
    "PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile",
    "Case", "StatelessCase",
)  # fmt: skip


def kind_of(scope: str, operation: str) -> str:
    """The kind of one operation.

    Args:
        scope: its name in the graph, with those of the layers around it.
        operation: TensorFlow's name of what it does.

    Returns:
        One of `KINDS`, or `REST`. What the optimiser computes is the optimiser's, and of
        normalising layers all but a product is theirs.
    """
    places = scope.lower().split("/")
    if operation.startswith("ResourceApply") or any("adam" in place for place in places):
        return OPTIMISER
    if "MatMul" in operation or "Einsum" in operation:
        return PRODUCTS
    name = operation.removeprefix("_Mkl").removeprefix("Native")
    # "Max" is a reduction and "Maximum" is none: the longest beginning counts.
    begins = [
        (len(start), kind)
        for kind, starts in _KINDS.items()
        for start in starts
        if name.startswith(start)
    ]
    found = max(begins)[1] if begins else REST
    if found != REST and any("normali" in place or "softmax" in place for place in places):
        return NORMALISATION
    return found
