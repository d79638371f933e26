"""The ticks of a schedule around now: which are due, with their jitter, in the form the script takes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from quarterdeck.schedule.expression import epoch_ms, utc
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.spec import CatchUp

if TYPE_CHECKING:
    from datetime import datetime

    from quarterdeck.schedule.definition import Definition

MOST: Final = 200
"""Missed ticks that are told one by one at most; earlier ones are told as one entry with their number."""
LEAST: Final = 3
SHARED: Final = 1_500
"""Missed ticks that are told one by one, over all schedules that are due at once."""
WALKED: Final = 5_000
"""Missed ticks that are walked to be counted, before the walk jumps ahead; fewer when many schedules are due."""
LARGEST: Final = 5_000
"""Ticks that one look from there may walk."""
NEVER_MS: Final = 253_402_300_799_000
"""The end of year 9999: the tick of a schedule whose expression has come to its end."""
DELETED_MS: Final = NEVER_MS + 1
"""The place of a schedule that code defines and an operator deleted: kept, and shown nowhere."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """`flat`: tick, due, tick, due, … (epoch ms), the last one after the asked time.

    `earlier`: the first of the ticks before them that are too many to be told one by one, and the words that tell of
    all of those; empty when there are none.
    """

    flat: tuple[int, ...]
    earlier: tuple[int, str] | tuple[()] = ()


def next_tick(definition: Definition, after_ms: int) -> int:
    """The first tick after `after_ms`, or NEVER_MS when there is none."""
    try:
        return epoch_ms(definition.expression.next_after(utc(after_ms), definition.tz))
    except ExpressionError:
        return NEVER_MS


def due_of(definition: Definition, tick: int, following: int) -> int:
    """When `tick` fires: the tick and its jitter, which its name and time decide, so that all schedulers agree.

    It stays before the `following` tick: jitter changes no order.
    """
    jitter_ms = int(definition.spec.jitter_s * 1000)
    if not jitter_ms:
        return tick
    dice = int.from_bytes(blake2b(f"{definition.spec.name}\0{tick}".encode(), digest_size=8).digest(), "big")
    return min(tick + dice * (jitter_ms + 1) // 2**64, max(tick, following - 1))


def told_one_by_one(definition: Definition, due_at_once: int) -> int:
    """How many missed ticks of a schedule are told one by one when so many schedules are due: fewer when many are.

    Never less than the catch-up policy may run.
    """
    share = max(LEAST, min(MOST, SHARED // max(1, due_at_once)))
    return max(share, definition.spec.catch_up_max) if definition.spec.catch_up is CatchUp.ALL else share


def ticks_from(definition: Definition, tick: int, until_ms: int, most: int = MOST) -> Ticks:
    """The ticks from `tick` (a tick itself) on, up to the first after `until_ms`, at least two.

    No more than `most` that are due, the newest ones.
    """
    found = [tick]
    walk = WALKED if most >= MOST else 2 * most
    while found[-1] <= until_ms or len(found) < 2:
        found.append(next_tick(definition, found[-1]))
        if found[-1] == NEVER_MS:
            break
        if len(found) > walk and found[-1] <= until_ms:
            return _after_a_jump(definition, found, until_ms, most)
    count = len(found) - 1 - most
    if count <= 0:
        return Ticks(_with_dues(definition, found))
    return Ticks(_with_dues(definition, found[count:]), (tick, f"no scheduler ran: {_and_more(count)}"))


def _after_a_jump(definition: Definition, walked: list[int], until_ms: int, most: int) -> Ticks:
    """The newest ticks before `until_ms`, when there are too many to walk."""
    start, fires = _newest(definition, walked, until_ms, most)
    found = [epoch_ms(fire) for fire in fires]
    if start == walked[-1]:
        found = walked + found
        told = _and_more(len(found) - most)
    else:
        told = f"this and all ticks before {utc(found[-most]):%Y-%m-%d %H:%M:%S} UTC"
    newest = [*found[-most:], next_tick(definition, found[-1])]
    return Ticks(_with_dues(definition, newest), (walked[0], f"no scheduler ran: {told}"))


def _newest(definition: Definition, walked: list[int], until_ms: int, most: int) -> tuple[int, list[datetime]]:
    """At least the `most` newest fires until `until_ms`, fewer only when there are no more, and what they come after.

    A window is widened until it holds enough, and halved where it holds more than can be walked: every second of a
    month that has passed, say.
    """
    width_ms = (walked[-1] - walked[0]) // (len(walked) - 1) * (most + 5)
    crowded, sparse = walked[-1] - 1, until_ms
    start = max(walked[-1], until_ms - width_ms)
    while True:
        fires = definition.expression.between(utc(start), utc(until_ms), definition.tz, limit=LARGEST)
        if len(fires) >= LARGEST:
            crowded = start
        elif len(fires) >= most or start == walked[-1]:
            return start, fires
        else:
            sparse = start
            width_ms *= 4
        start = max(walked[-1], until_ms - width_ms)
        if start <= crowded:
            start = (crowded + sparse) // 2


def _and_more(count: int) -> str:
    return f"this and {count - 1} ticks after it" if count > 1 else "this tick"


def _with_dues(definition: Definition, ticks: list[int]) -> tuple[int, ...]:
    flat: list[int] = []
    for index, tick in enumerate(ticks):
        following = ticks[index + 1] if index + 1 < len(ticks) else NEVER_MS
        if following == NEVER_MS and tick != NEVER_MS and definition.spec.jitter_s:
            following = next_tick(definition, tick)
        flat += (tick, due_of(definition, tick, following))
    return tuple(flat)
