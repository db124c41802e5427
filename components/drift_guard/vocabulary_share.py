"""Which share of values a vocabulary lacks, and which share is to be expected."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.batch_statistics_gen.value_counts import TextCounts
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.transform.contract.features import Vocabulary


def out_of_vocabulary(values: TextCounts, source: TextCounts, rules: Vocabulary) -> float:
    """Share of values that have no id; 0 where there are none.

    Args:
        values: whose share it is.
        source: the values that the vocabulary is made of.
        rules: which of them have an id.
    """
    level = max(values.level, source.level)
    values, source = values.at_level(level), source.at_level(level)
    known = pc.is_in(values.values, value_set=_vocabulary(source, rules))
    inside = values.counts[known.to_numpy(zero_copy_only=False)].sum()
    total = values.counts.sum()
    return float(1 - inside / total) if total else 0.0


def expected_out(name: str, of: str, before: DescribedRows, rules: Vocabulary) -> float:
    """Which share of further rows' values is out of vocabulary where nothing has moved.

    The largest of three: the share of the rows before themselves, which hold rare values, too;
    by Good and Turing, the share of their values that occur no more often than a value needs to
    for an id (the once seen ones tell how much has not been seen); and with several spans the
    mean share of one span by the vocabulary of the others, which knows that rows of a day are
    alike, and that every day has new items.

    Args:
        name: of the feature.
        of: the feature whose vocabulary it has.
        before: rows that the vocabulary is made of.
        rules: of the vocabulary.
    """
    source, own = before.counts.texts[of], before.counts.texts[name]
    rare = own.counts[own.counts <= rules.min_count].sum() / max(own.counts.sum(), 1)
    found = [out_of_vocabulary(own, source, rules), float(rare)]
    spans = [span for span in before.spans if of in span.texts and name in span.texts]
    if len(spans) > 1:
        shares = []
        for place, span in enumerate(spans):
            others = [other.texts[of] for index, other in enumerate(spans) if index != place]
            shares.append(out_of_vocabulary(span.texts[name], TextCounts.merged(others), rules))
        found.append(float(np.mean(shares)))
    return max(found)


def _vocabulary(source: TextCounts, rules: Vocabulary) -> pa.Array:
    kept = source.counts >= rules.min_count
    if rules.top_k is not None:
        # Of a draw of the values, as many as are to be expected of it.
        most = max(rules.top_k >> source.level, 1)
        if most < kept.sum():
            kept &= source.counts >= np.sort(source.counts)[-most]
    return source.values.filter(pa.array(kept))
