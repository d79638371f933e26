"""The ticks of a schedule around now: which are due, with their jitter, in the form the script takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from quarterdeck.schedule.expression import epoch_ms, utc
from quarterdeck.schedule.fields import ExpressionError

if TYPE_CHECKING:
    from quarterdeck.schedule.definition import Definition

MOST: Final = 200
"""Missed ticks that are told one by one; earlier ones are told as one entry with their number."""
COUNTED: Final = 5_000
"""Ticks that are walked one by one before the walk jumps ahead."""
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
    except (ExpressionError, OverflowError):
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


def ticks_from(definition: Definition, tick: int, until_ms: int) -> Ticks:
    """The ticks from `tick` (a tick itself) on, up to the first after `until_ms`, at least two."""
    found = [tick]
    while found[-1] <= until_ms or len(found) < 2:
        found.append(next_tick(definition, found[-1]))
        if found[-1] == NEVER_MS:
            break
        if len(found) >= COUNTED and found[-1] <= until_ms:
            return _after_a_jump(definition, found, until_ms)
    count = len(found) - 1 - MOST
    if count <= 0:
        return Ticks(_with_dues(definition, found))
    more = f"this and {count - 1} ticks after it" if count > 1 else "this tick"
    return Ticks(_with_dues(definition, found[count:]), (tick, f"no scheduler ran: {more}"))


def _after_a_jump(definition: Definition, walked: list[int], until_ms: int) -> Ticks:
    """The newest ticks before `until_ms`, when there are too many to walk: a window is widened until it holds some."""
    width = timedelta(minutes=5)
    while True:
        start = max(walked[-1], epoch_ms(utc(until_ms) - width))
        fires = definition.expression.between(utc(start), utc(until_ms), definition.tz, limit=20 * COUNTED)
        if len(fires) >= MOST or start == walked[-1]:
            break
        width *= 4
    newest = [epoch_ms(fire) for fire in fires][-MOST:]
    told = f"no scheduler ran: this and all ticks before {utc(newest[0]):%Y-%m-%d %H:%M:%S} UTC"
    newest.append(next_tick(definition, newest[-1]))
    return Ticks(_with_dues(definition, newest), (walked[0], told))


def _with_dues(definition: Definition, ticks: list[int]) -> tuple[int, ...]:
    flat: list[int] = []
    for index, tick in enumerate(ticks):
        following = ticks[index + 1] if index + 1 < len(ticks) else NEVER_MS
        if following == NEVER_MS and tick != NEVER_MS and definition.spec.jitter_s:
            following = next_tick(definition, tick)
        flat += (tick, due_of(definition, tick, following))
    return tuple(flat)
