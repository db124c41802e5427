"""The account of one shard of the input."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mtlx.components.log_example_gen.splits.splitter import TimeRanges


@dataclass
class ShardSummary:
    """What became of one shard: every line of it, see `unaccounted`.

    Attributes:
        lines: ``read``, as the reader counted them on their own, and those that are no rows, see
            `Rows.aside`; of a format without lines, its rows.
        rows: examples written, by split.
        malformed: rejected rows, by reason.
        filtered: rows that do not meet `DataSettings.where`.
        times: first and last time by split, where the split is by time.
        quoted: the first few rejected rows, as text.
        quarantine: the file with all of them, or None.
        refused: why the shard was refused, or None.
        unmatched: rows whose key a table of `DataSettings.join` lacks, by key; what became of them
            says its `missing_key`.
        sources: of the shard, see `mtlx.components.log_example_gen.provenance.source`.
    """

    lines: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    filtered: int = 0
    times: TimeRanges = field(default_factory=dict)
    quoted: list[str] = field(default_factory=list)
    quarantine: str | None = None
    refused: str | None = None
    unmatched: Counter[str] = field(default_factory=Counter)
    sources: list[dict[str, Any]] = field(default_factory=list)

    def unaccounted(self) -> int:
        """Lines that were read and are neither delivered, filtered, malformed nor known
        to be no rows.

        Zero wherever reader and checks do what they should; of a refused shard, whatever was
        read of it counts as refused.
        """
        aside = self.lines.total() - self.lines["read"]
        left_out = self.malformed.total() + self.filtered
        return self.lines["read"] - aside - self.rows.total() - left_out
