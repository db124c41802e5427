"""Infers a schema from the statistics of training rows, so that others can be held against it."""

from collections.abc import Iterable

import numpy as np
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from mtlx.components.span_schema_gen.schema_marks import INFERRED, is_inferred
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import IdKind

#: A feature with more different values than this has no list of them.
_MOST_VALUES = 100
#: Where new values may be more than this share of all, their set is not closed.
_MOST_NEW = 0.2

_Statistics = statistics_pb2.DatasetFeatureStatistics


class InferredSchema:
    """A schema that grows with every data set of training rows.

    What a person reviewed stays as it is. An inferred feature allows what any training data set
    had, and some more, since further rows are never just like those before:

    - it may be missing in a share `tolerance` of the rows where all training rows have it;
    - its list of values is left out where the set is not closed: more than 100 values, the
      target item and what else `is_open` names, or more new values from one data set to the next
      than `tolerance` and rare values explain;
    - of a closed set new values may be that share.

    Args:
        contract: whose columns there are; others, which a stock ExampleGen reads, only have to be
            of the type that they had.
        tolerance: see above.
        open_features: names of features whose sets of values are not closed.
        base: the schema to begin with; of another contract its other columns are left out.
    """

    def __init__(
        self,
        contract: DataContract,
        tolerance: float,
        open_features: Iterable[str] = (),
        base: schema_pb2.Schema | None = None,
    ):
        self._tolerance = tolerance
        labels = (task.label_key for task in contract.tasks.values())
        self._names = {*contract.features, *labels, *contract.weight_columns}
        self._open = {name for name in contract.features if _is_open(name, contract)}
        self._open |= set(open_features)
        self._features: dict[str, schema_pb2.Feature] = {}
        self._values: dict[str, set[str]] = {}
        self._allowance: dict[str, float] = {}
        self._base = base or schema_pb2.Schema()
        domains = {domain.name: domain for domain in self._base.string_domain}
        for feature in self._base.feature:
            if feature.name in self._names:
                self._features[feature.name] = feature
                if is_inferred(feature) and feature.domain in domains:
                    self._values[feature.name] = set(domains[feature.domain].value)
        self._closed = {name for name in self._values if name not in self._open}

    def add(self, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> None:
        """Takes the statistics of one data set of training rows."""
        inferred = tfdv.infer_schema(
            statistics, infer_feature_shape=False, max_string_domain_size=_MOST_VALUES
        )
        (dataset,) = statistics.datasets
        described = {".".join(one.path.step) or one.name: one for one in dataset.features}
        for feature in inferred.feature:
            if feature.name not in self._names:
                self._features[feature.name] = _of_type(feature)
                continue
            known = self._features.get(feature.name)
            if known is not None and known.type == feature.type and not is_inferred(known):
                continue
            if known is None or known.type != feature.type:
                known = self._features[feature.name] = schema_pb2.Feature()
                known.CopyFrom(feature)
                known.ClearField("domain")
                known.annotation.tag.append(INFERRED)
                if feature.domain:
                    self._values[feature.name] = set()
                    if feature.name not in self._open:
                        self._closed.add(feature.name)
                self._learn(feature.name, described[feature.name], first=True)
            else:
                _widen(known, feature)
                self._learn(feature.name, described[feature.name], first=False)

    def schema(self) -> schema_pb2.Schema:
        """The schema of all data sets so far."""
        schema = schema_pb2.Schema()
        schema.CopyFrom(self._base)
        del schema.feature[:]
        used = {f.domain for f in self._features.values() if not is_inferred(f)}
        kept = [domain for domain in self._base.string_domain if domain.name in used]
        del schema.string_domain[:]
        schema.string_domain.extend(kept)
        for name in sorted(self._features):
            feature = schema.feature.add()
            feature.CopyFrom(self._features[name])
            if not is_inferred(feature):
                continue
            if feature.presence.min_fraction > 0:
                feature.presence.min_fraction = 1 - self._tolerance
            feature.ClearField("domain")
            feature.ClearField("distribution_constraints")
            if name in self._closed:
                feature.domain = name
                mass = 1 - self._allowance.get(name, self._tolerance)
                feature.distribution_constraints.min_domain_mass = mass
                schema.string_domain.add(name=name, value=sorted(self._values[name]))
        return schema

    def _learn(self, name: str, feature: statistics_pb2.FeatureNameStatistics, first: bool) -> None:
        """Takes a feature's values over, unless their set turns out not to be closed."""
        if name not in self._closed:
            return
        buckets = feature.string_stats.rank_histogram.buckets
        counts = {bucket.label: bucket.sample_count for bucket in buckets}
        total = max(sum(counts.values()), 1.0)
        # By Good and Turing: what is seen once tells how much has not been seen.
        rare = sum(count for count in counts.values() if count <= 1) / total
        allowance = self._tolerance + 2 * rare
        allowance += 4 * float(np.sqrt(allowance / total))
        allowance = max(allowance, self._allowance.get(name, 0.0))
        known = self._values[name]
        new = sum(count for value, count in counts.items() if value not in known) / total
        known.update(counts)
        self._allowance[name] = allowance
        if len(known) > _MOST_VALUES or allowance > _MOST_NEW or (not first and new > allowance):
            self._closed.discard(name)


def _is_open(name: str, contract: DataContract) -> bool:
    """Whether new values of a feature are to be expected by what it is."""
    feature = contract.features[name]
    if name == contract.target_item or getattr(feature, "item", None) == contract.target_item:
        return contract.target_item is not None
    if not isinstance(feature, IdKind):
        return False
    domain = contract.domain.feature if contract.domain else None
    if name == domain:
        # Those that are not listed are gathered, where the experiment says so.
        return contract.domain is not None and contract.domain.other is not None
    return feature.hash_buckets is not None or not feature.is_read


def _of_type(feature: schema_pb2.Feature) -> schema_pb2.Feature:
    """A feature that nobody reads: it may be missing, and hold anything of its type."""
    return schema_pb2.Feature(
        name=feature.name, type=feature.type, annotation=schema_pb2.Annotation(tag=[INFERRED])
    )


def _widen(known: schema_pb2.Feature, other: schema_pb2.Feature) -> None:
    """Allows, in place, what another data set has."""
    if not other.presence.min_fraction:
        known.presence.ClearField("min_fraction")
    if not other.HasField("value_count"):
        known.ClearField("value_count")
    elif known.HasField("value_count"):
        least, most = other.value_count.min, other.value_count.max
        known.value_count.min = min(known.value_count.min, least)
        if known.value_count.max and most:
            known.value_count.max = max(known.value_count.max, most)
        else:
            known.value_count.ClearField("max")
