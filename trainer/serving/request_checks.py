"""What a served graph refuses, each with a text that names position and feature.

TensorFlow's own errors say it with the bytes of the request, or with the name of an inner
operation. All checks are operations of the graph: they hold behind TensorFlow Serving as well.
"""

import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mtlx.transform.columns.domain_values import domain_text, is_listed
from mtlx.transform.contract.domain import Domain

#: First byte of a tf.Example: field 1, of a length that the next bytes tell.
_FEATURES_TAG = 0x0A
#: Positions that a text names at most.
_NAMED = 10
FROM = " (counted from 0)"
#: A feature that no log has: asking for it makes TensorFlow walk through an example.
_NO_FEATURE = "\0"
#: Bytes of a length: protobuf allows no message above 2 GiB.
_LENGTH_BYTES = 5
#: First bytes of what a length follows, in a tf.Example: fields 1 to 3.
_LENGTH_TAGS = (0x0A, 0x12, 0x1A)
#: What the fifth byte of a length has where the length is 2 GiB or more.
_TWO_GIB_BIT = 0x08


def whole_examples(examples: tf.Tensor) -> tf.Tensor:
    """Refuses texts that are no tf.Example, or a part of one.

    Looks first at the outermost level: an example is one message of the length that its first
    bytes tell, and no part of it tells 2 GiB or more: told so, TensorFlow's parser kills the
    process. A text that does not look so is parsed alone by protobuf, to be sure; what such a text
    holds never costs the others time. Then TensorFlow walks through the names and features of all,
    without reading their values.

    Args:
        examples: ``(B,)`` serialised `tf.Example`s.

    Returns:
        The same.
    """
    strange = tf.logical_not(_has_told_length(examples)) | _may_tell_two_gib(examples)
    suspects = tf.where(strange)[:, 0]
    refusal = tf.cond(
        tf.size(suspects) > 0, lambda: _broken(examples, suspects), lambda: tf.constant("")
    )
    return _whole_inside(unless(refusal, examples))


def _whole_inside(examples: tf.Tensor) -> tf.Tensor:
    """Refuses the first example whose names and features can't be told apart, by its position.

    On the wire a `tf.Example` is a `tf.SequenceExample` that has nothing but a context. The parser
    of `tf.Example` quotes the bytes of what it can't read, and this one its name.
    """
    positions = tf.strings.as_string(tf.range(tf.size(examples)))
    walked, _, _ = tf.io.parse_sequence_example(
        examples,
        context_features={_NO_FEATURE: tf.io.RaggedFeature(tf.int64)},
        example_names=tf.strings.join(["position ", positions, FROM]),
    )
    # Always true, but asked: an operation that nothing asks for its values is optimised away.
    check = tf.debugging.Assert(tf.size(walked[_NO_FEATURE].values) >= 0, [""])
    with tf.control_dependencies([check]):
        return tf.identity(examples)


def _has_told_length(examples: tf.Tensor) -> tf.Tensor:
    """``(B,)`` bool: empty, or one message of the length that its first bytes tell."""
    size = tf.strings.length(examples)
    head = tf.strings.substr(examples, 0, 1 + _LENGTH_BYTES)
    # Padded, since decode_raw wants texts of one length. (B, 6)
    code = tf.cast(tf.io.decode_raw(head, tf.uint8, fixed_length=1 + _LENGTH_BYTES), tf.int64)
    digits = code[:, 1:]
    # Seven bits a byte, the lowest first; the last byte has its highest bit unset.
    goes_on = tf.cast(digits >= 128, tf.int64)
    counts = tf.math.cumprod(goes_on, axis=1, exclusive=True)
    places = tf.constant([1 << (7 * index) for index in range(_LENGTH_BYTES)], tf.int64)
    told = tf.reduce_sum(counts * (digits % 128) * places, axis=1)
    length_bytes = tf.reduce_sum(counts, axis=1)
    whole = tf.equal(code[:, 0], _FEATURES_TAG)
    whole &= tf.equal(told + length_bytes + 1, tf.cast(size, tf.int64))
    return whole | tf.equal(size, 0)


def _may_tell_two_gib(examples: tf.Tensor) -> tf.Tensor:
    """``(B,)`` bool: bytes stand somewhere in it as before a part of 2 GiB or more.

    Such a length has five bytes, and the highest bit of the first four is set. A long text of
    another alphabet can have the same bytes by chance.
    """
    joined = tf.strings.reduce_join(examples)
    # Every byte has two before it and six behind it, and all make pairs.
    behind = tf.strings.substr("\0" * 7, 0, 6 + tf.strings.length(joined) % 2)
    padded = tf.strings.join(["\0\0", joined, behind])
    # Of four bytes behind each other, two are such a pair: the others need no second look.
    pairs = tf.bitwise.bitwise_and(tf.io.decode_raw(padded, tf.uint16), 0x8080)
    pair_places = 2 * tf.where(tf.equal(pairs, 0x8080))[:, 0]
    code = tf.io.decode_raw(padded, tf.uint8)
    tag_places = tf.concat([pair_places - 1, pair_places - 2], axis=0)
    tags = tf.gather(code, tag_places)[:, tf.newaxis]
    is_tag = tf.reduce_any(tf.equal(tags, tf.constant(_LENGTH_TAGS, tf.uint8)), axis=1)
    tag_places = tf.boolean_mask(tag_places, is_tag)
    length = tf.gather(
        code, tag_places[:, tf.newaxis] + tf.range(1, 1 + _LENGTH_BYTES, 1, tf.int64)
    )
    told = tf.reduce_all(length[:, :-1] >= 128, axis=1)
    told &= tf.bitwise.bitwise_and(length[:, -1], _TWO_GIB_BIT) > 0
    ends = tf.cumsum(tf.cast(tf.strings.length(examples), tf.int64))
    which = tf.searchsorted(ends, tf.boolean_mask(tag_places, told) - 2, side="right")
    count = tf.size(examples)
    return tf.math.bincount(which, minlength=count, maxlength=count) > 0


def _broken(examples: tf.Tensor, suspects: tf.Tensor) -> tf.Tensor:
    """A refusal that names those of the suspects that can't be parsed, or ``""``."""

    def position(index: tf.Tensor) -> tf.Tensor:
        # TensorFlow's own parser would die of some; protobuf's is slower by far.
        _, (parsed,) = tf.io.decode_proto(
            examples[index], "tensorflow.Example", ["features"], [tf.string], sanitize=True
        )
        # Adds zero, but only after parsing.
        return index + tf.minimum(tf.size(parsed, tf.int64), 0)

    sound = tf.data.Dataset.from_tensor_slices(suspects).map(position).ignore_errors()
    none = tf.zeros([0], tf.int64)
    sound = sound.batch(1).reduce(none, lambda found, one: tf.concat([found, one], axis=0))
    broken = tf.sets.difference(suspects[tf.newaxis], sound[tf.newaxis]).values

    def told() -> tf.Tensor:
        first = tf.strings.reduce_join(tf.strings.as_string(broken[:_NAMED]), separator=", ")
        counts = tf.size(broken), " of ", tf.size(examples), " texts are no tf.Example"
        return text(*counts, " at positions ", first, FROM)

    return tf.cond(tf.size(broken) > 0, told, lambda: tf.constant(""))


def single_values(parsed: Mapping[str, tf.Tensor], names: list[str]) -> Mapping[str, tf.Tensor]:
    """Refuses several values in a row of a feature that takes one.

    Args:
        parsed: raw features, sparse or dense.
        names: those that take one value a row.

    Returns:
        `parsed`.
    """
    sparse = [name for name in names if isinstance(parsed[name], tf.SparseTensor)]
    if not sparse:
        return parsed
    widths = tf.stack([parsed[name].dense_shape for name in sparse])[:, 1]
    refusal = tf.cond(
        tf.reduce_any(widths > 1),
        lambda: _several_values({name: parsed[name] for name in sparse}, widths),
        lambda: tf.constant(""),
    )
    return unless(refusal, parsed)


def _several_values(parsed: dict[str, tf.SparseTensor], widths: tf.Tensor) -> tf.Tensor:
    """Names the first feature with several values, and the first row that has them."""
    which = tf.argmax(tf.cast(widths > 1, tf.int64))
    # Of all features together: some forty operations for each were a fifth of an exported model.
    places = tf.concat([x.indices for x in parsed.values()], axis=0)
    sizes = tf.stack([tf.size(x.values) for x in parsed.values()])
    owners = tf.repeat(tf.range(len(parsed), dtype=tf.int64), sizes)
    further = tf.boolean_mask(places, (places[:, 1] > 0) & tf.equal(owners, which))
    name, row = tf.gather(list(parsed), which), tf.reduce_min(further[:, 0])
    return text("Feature ", name, " takes one value, but has several at position ", row, FROM)


def equal_lengths(columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Refuses columns that do not all have as many rows as the first one."""
    names = list(columns)
    lengths = tf.stack([tf.shape(values)[0] for values in columns.values()])
    other, names_of = tf.not_equal(lengths, lengths[0]), tf.constant(names)

    def differing() -> tf.Tensor:
        which = tf.argmax(tf.cast(other, tf.int64))
        one = names[0], " has ", lengths[0], " rows, "
        return text("Columns of unequal length: ", *one, names_of[which], " has ", lengths[which])

    refusal = tf.cond(tf.reduce_any(other), differing, lambda: tf.constant(""))
    return unless(refusal, dict(columns))


def aligned_sequences(
    parsed: dict[str, tf.Tensor | tf.SparseTensor], behaviours: list[tuple[str, ...]]
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Refuses rows with more values of one feature of their behaviours than of another.

    Args:
        parsed: raw features; a dense one has as many values in every row, padding included.
        behaviours: names of the sequences that are beside each other.

    Returns:
        `parsed`.
    """
    if not behaviours:
        return parsed
    lengths = [tf.stack([row_lengths(parsed[part]) for part in parts]) for parts in behaviours]
    other = [tf.not_equal(own, own[:1]) for own in lengths]  # (parts, B) each
    differ = tf.stack([tf.reduce_any(own) for own in other])
    # One for all: every condition is two graphs to trace, to write and to load.
    refusal = tf.cond(
        tf.reduce_any(differ),
        functools.partial(_first_unequal, behaviours, lengths, other, differ),
        lambda: tf.constant(""),
    )
    return unless(refusal, parsed)


def row_lengths(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Values of each row ``(B,)`` int64."""
    if not isinstance(x, tf.SparseTensor):
        return tf.fill([tf.shape(x)[0]], tf.shape(x, tf.int64)[1])
    ones = tf.ones_like(x.indices[:, 0])
    return tf.math.unsorted_segment_sum(ones, x.indices[:, 0], x.dense_shape[0])


def _first_unequal(
    behaviours: list[tuple[str, ...]],
    lengths: list[tf.Tensor],
    other: list[tf.Tensor],
    differ: tf.Tensor,
) -> tf.Tensor:
    """What is wrong with the first of the behaviours of which something is.

    Names its first row that has several lengths, and the two features.
    """
    chosen = tf.argmax(tf.cast(differ, tf.int64))
    rows = tf.stack([tf.argmax(tf.reduce_any(own, axis=0)) for own in other])
    row = tf.gather(rows, chosen)
    # All behaviours' features behind each other, each with the first one of its own behaviours: a
    # text for each behaviour were four times as many operations, in every signature.
    values = tf.concat([tf.gather(own, row, axis=1) for own in lengths], axis=0)
    sizes = [len(parts) for parts in behaviours]
    owners = np.repeat(np.arange(len(sizes)), sizes)
    firsts = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    names = [name for parts in behaviours for name in parts]
    expected = tf.gather(values, firsts)
    wrong = tf.not_equal(values, expected) & tf.equal(owners, chosen)
    which = tf.argmax(tf.cast(wrong, tf.int64))
    name, first = tf.gather(names, which), tf.gather([names[place] for place in firsts], which)
    place = " values at position ", row, FROM, ", and ", first, " has ", tf.gather(expected, which)
    remedy = ": give one of each per behaviour, an empty text where one is missing"
    return text("Feature ", name, " has ", tf.gather(values, which), *place, remedy)


def listed_domains(
    parsed: Mapping[str, tf.Tensor], domain: Domain | None
) -> Mapping[str, tf.Tensor]:
    """Refuses rows of a domain that the contract does not list, where it says so."""
    if domain is None or not domain.refuses_unknown:
        return parsed
    values = domain_text(parsed[domain.feature])
    unlisted = tf.where(tf.logical_not(is_listed(values, domain)))[:, 0]

    def first() -> tf.Tensor:
        value = tf.strings.substr(values[unlisted[0]], 0, 100)
        place = " at position ", unlisted[0], FROM, ", which is none of the domains "
        names = ", ".join(domain.values)
        count = " (", tf.size(unlisted), " such rows)"
        return text("Feature ", domain.feature, " is ", value, *place, names, *count)

    refusal = tf.cond(tf.size(unlisted) > 0, first, lambda: tf.constant(""))
    return unless(refusal, parsed)


def text(*parts: str | tf.Tensor) -> tf.Tensor:
    """Texts and numbers behind each other, without the quotes that an error would escape."""
    return tf.strings.join(
        [
            part if isinstance(part, str) or part.dtype == tf.string else tf.strings.as_string(part)
            for part in parts
        ]
    )


def unless(refusal: tf.Tensor, values: tf.Tensor | dict[str, tf.Tensor]) -> tf.Tensor:
    """The values, once it is sure that there is no refusal."""
    check = tf.debugging.Assert(tf.equal(refusal, ""), [refusal])
    with tf.control_dependencies([check]):
        return tf.nest.map_structure(tf.identity, values, expand_composites=True)
