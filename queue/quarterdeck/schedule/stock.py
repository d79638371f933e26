"""Crons of stock SAQ workers: pausing them from outside, and keeping stock workers off what a deck worker schedules.

A stock worker enqueues a cron's next job under the key `cron:<function>` each second. SAQ refuses to enqueue a key
whose abort marker is there, so a marker of ours, and taking out the pending job, pauses the cron; removing it resumes.
Crons with `unique=False` have random keys and can't be told apart from other jobs: they can't be paused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import PauseStat
from quarterdeck.schedule.scripts import script

PREFIX: Final = "cron:"
"""How SAQ's job key of a unique cron begins; the function's qualified name follows."""
HELD: Final = "quarterdeck: a deck worker runs this cron"
HOLD_MS: Final = 120_000
"""How long the marker of a deck worker stays after its last beat: then stock workers take the cron over again."""


_RUN: Final = re.compile(r"(\{[^}]*\})?cron:.*:M?\d{13}", re.DOTALL)


def is_deck_run(key: str) -> bool:
    """Whether a job key is that of a run of a deck worker's schedule, not of a stock cron."""
    return _RUN.fullmatch(key) is not None


async def pause_stock(
    client: Any, queue: str, function: str, *, owner: str, reason: str = "", for_ms: int | None = None
) -> PauseStat:
    """Pause a stock cron; by itself the pause ends after `for_ms`, never when None.

    The marker holds the pause as a record, so that everyone attached sees who, why and until when.
    """
    seconds, micros = await client.time()
    now = int(seconds) * 1000 + int(micros) // 1000
    pause = PauseStat(owner=owner, reason=reason, at_ms=now, until_ms=None if for_ms is None else now + for_ms)
    # A paused cron has no pending job that would show it, and SAQ's marker does not name the queue.
    await client.sadd(keys_of(queue).stock_crons, function)
    await _mark(client, queue, function, msgspec.json.encode(pause), for_ms or 0, polite=False)
    return pause


async def resume_stock(client: Any, queue: str, function: str) -> bool:
    """Take the marker away; its worker schedules the cron again within a second. False when there was none."""
    return bool(await client.delete(keys_of(queue).abort(PREFIX + function)))


async def is_stock_cron(client: Any, queue: str, function: str, *, by_marker: bool = False) -> bool:
    """Whether a stock worker of the queue runs a cron of `function`: its job is pending, or it was paused here.

    Between a run and the next, for up to two seconds, nothing tells of it: look again. `by_marker` takes an abort
    marker for a sign too, which does not name the queue.
    """
    names, key = keys_of(queue), PREFIX + function
    pipe = client.pipeline(transaction=False)
    pipe.zscore(names.incomplete, names.job(key))
    pipe.sismember(names.stock_crons, function)
    pipe.exists(names.abort(key))
    pending, paused, marked = await pipe.execute()
    return pending is not None or bool(paused) or (by_marker and bool(marked))


def pause_of_marker(marker: bytes | None) -> PauseStat | None:
    """The pause that a marker stands for; None for no marker and for one that is no pause of ours."""
    if not marker or marker == HELD.encode():
        return None
    try:
        return msgspec.json.decode(marker, type=PauseStat)
    except msgspec.MsgspecError:
        return PauseStat(reason=marker.decode("utf-8", "replace")[:200])


async def hold_off_stock(client: Any, queue: str, functions: Sequence[str]) -> None:
    """Keep stock workers from enqueuing these functions' unique crons, because a deck worker runs them.

    Without it a fleet in the middle of a change would fire each tick twice. It lapses two minutes after the last
    deck worker, and stock workers go on.
    """
    for function in functions:
        await _mark(client, queue, function, HELD.encode(), HOLD_MS, polite=True)


async def _mark(client: Any, queue: str, function: str, text: bytes, for_ms: int, *, polite: bool) -> str:
    names, key = keys_of(queue), PREFIX + function
    answer: bytes = await script("stock")(
        client,
        [names.incomplete, names.queued, names.abort(key), names.job(key)],
        [text, for_ms, int(polite)],
    )
    return answer.decode()
