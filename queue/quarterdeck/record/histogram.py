"""Durations as counts in logarithmic buckets: small to keep, easy to add up, percentiles within 5 %."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

GROWTH: Final = 1.1
"""Each bucket's upper bound over its lower one."""
LARGEST_BUCKET: Final = 290
"""Durations of more than eleven days are counted here, so that a wrong clock can't invent fields."""
_PER_BUCKET: Final = 1 / math.log(GROWTH)


def bucket_of(duration_us: float) -> int:
    """The bucket that holds a duration in µs: floor(ln(max(d, 1)) / ln(1.1)), from 0 to `LARGEST_BUCKET`."""
    if duration_us <= 1:
        return 0
    return min(int(math.log(duration_us) * _PER_BUCKET), LARGEST_BUCKET)


def middle_of(bucket: int) -> float:
    """The duration in µs that stands for a bucket: off by at most 4.8 % from any duration in it."""
    return 2 * GROWTH**bucket * GROWTH / (GROWTH + 1)


def percentile(counts: Mapping[int, int], q: float) -> float | None:
    """The `q`-th quantile (0..1) in µs of the durations counted in `counts` (bucket → how many), None when empty.

    The value at rank ceil(q · n), as the middle of its bucket: within 5 % of the true one.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(1, math.ceil(q * total))
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return middle_of(bucket)
    return middle_of(max(counts))


def merged(*many: Mapping[int, int]) -> dict[int, int]:
    """Several histograms (bucket number → count) added up to one."""
    total: dict[int, int] = {}
    for counts in many:
        for bucket, count in counts.items():
            total[bucket] = total.get(bucket, 0) + count
    return total
