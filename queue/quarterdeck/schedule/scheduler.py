"""The scheduler: any number of workers run one, and each due tick fires exactly once, whoever comes first.

Lua can't read cron. So a scheduler brings the next ticks of what will be due, computed here, and one script on the
server's clock claims, enqueues, records and advances all of them by compare-and-set. There is no leader to lose.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError, ResponseError

from quarterdeck.keys import keys_of
from quarterdeck.schedule.cancel import cancel_runs
from quarterdeck.schedule.definition import Definition
from quarterdeck.schedule.ledger import Retention, settle_unsettled
from quarterdeck.schedule.scripts import script
from quarterdeck.schedule.stock import hold_off_stock
from quarterdeck.schedule.store import ScheduleStore
from quarterdeck.schedule.ticks import NEVER_MS, ticks_from, told_one_by_one

logger = logging.getLogger("quarterdeck.schedule")

HORIZON_MS: Final = 2_000
"""How far ahead a scheduler prepares: more than the time between two looks."""
MOST: Final = 500
"""Schedules that one script call handles; more that are due at once take more calls."""
MOST_TICKS: Final = 300
"""Ticks that one script call is given to decide on, so that the server is not held up."""
LOOK_S: Final = 1.0
IDLE_S: Final = 5.0
"""How often a queue without schedules is looked at."""
UPKEEP_S: Final = 15.0
MOST_FRUITLESS: Final = 50
"""Looks that ask for another one at once, with nothing fired, before a pause is made all the same."""
GRACE_MS: Final = 5_000
"""A tick that fires within this time is on time; later, it was missed, and the catch-up policy decides."""
MOST_DEFINITIONS: Final = 50_000
BACKOFF_CAP_S: Final = 2.0
_pack = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Turn:
    """What one look at a queue's timetable did. Times are epoch ms on the server's clock."""

    now_ms: int
    fired: list[tuple[str, str, str]] = field(default_factory=list)
    """Schedule, run, job key."""
    next_due_ms: int = -1
    """When the next one is due, -1 when nothing is."""
    again: bool = False
    """There is more to do at once."""
    empty: bool = False
    """The queue has no schedules."""


@dataclass(slots=True)
class _Upcoming:
    """What is due soon, by name: the stored tick (0 when it is lost) and the definition's digest."""

    ticks: dict[str, tuple[int, str]] = field(default_factory=dict)
    waiting: dict[str, tuple[int, str]] = field(default_factory=dict)


class QueueScheduler:
    """The scheduler of one queue: `look` does one turn, in one round trip as long as nothing new turns up."""

    def __init__(
        self,
        client: Any,
        queue: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        test_now_ms: Callable[[], int] | None = None,
        retention: Retention | None = None,
        hold_off: Sequence[str] = (),
    ) -> None:
        self.store = ScheduleStore(client, queue, test_now_ms=test_now_ms)
        self.queue = queue
        self._client = client
        self._monotonic = monotonic
        self._retention = retention or Retention()
        self._hold_off = tuple(hold_off)
        self._ahead_ms: float | None = None
        """What to add to the own clock to know the server's; None until it has answered."""
        self._soon = _Upcoming()
        self._known: dict[tuple[str, str], Definition] = {}
        self._kept_up_at = float("-inf")

    async def look(self) -> Turn:
        """Fire what is due. Raises redis' errors; what was not answered is safe to send again."""
        sent = self._proposals()
        arguments = [_pack(proposal) for proposal in sent]
        bounds = (self._retention.count, self._retention.per_schedule, self._retention.age_ms)
        answer = await script("tick")(
            self._client,
            [keys_of(self.queue).schedule_due],
            [self.queue, self.store.test_ms, HORIZON_MS, MOST, *bounds, *arguments],
        )
        return await self._learn(answer)

    async def _learn(self, answer: list[Any]) -> Turn:
        now, fired, changed, upcoming, later, waiting, cancels, defined, listed, unsettled, repaired = answer
        self._ahead_ms = now - self._monotonic() * 1000
        words = [word.decode("utf-8", "replace") for word in fired]
        turn = Turn(
            now, list(zip(words[::3], words[1::3], words[2::3], strict=True)), empty=not defined and not waiting
        )
        for name, run, key in turn.fired:
            logger.debug("Fired %s", run, extra={"action": "schedule-fire", "schedule": name, "job_id": key})
        lost = self._remember(upcoming, waiting)
        due = [float(upcoming[at + 2]) for at in range(0, len(upcoming), 4)]
        # Later: -1 when there is none, infinite when all that is left is broken.
        due += [float(later)] if 0 < float(later) <= NEVER_MS else []
        turn.next_due_ms = int(min(due, default=-1))
        await self._fetch()
        lost += [name.decode("utf-8", "replace") for name in repaired]
        if lost:
            await self.store.retime(lost)
            await self._drop_strays(upcoming[::4])
        if cancels:
            await cancel_runs(self._client, self.queue, [key.decode("utf-8", "replace") for key in cancels])
        turn.again = bool(lost or changed or self._soon.waiting or 0 <= turn.next_due_ms <= now)
        await self._keep_up(defined, listed, unsettled)
        return turn

    def _remember(self, upcoming: list[Any], waiting: list[Any]) -> list[str]:
        """Note what comes; returns the names whose state can't be read."""
        self._soon = _Upcoming()
        lost = []
        for at in range(0, len(upcoming), 4):
            name, tick, digest = upcoming[at].decode("utf-8", "replace"), upcoming[at + 1], upcoming[at + 3].decode()
            # A tick after its due time was written by no script of ours.
            if tick.isdigit() and digest and int(tick) <= float(upcoming[at + 2]):
                self._soon.ticks[name] = (int(tick), digest)
            else:
                lost.append(name)
        for at in range(0, len(waiting), 4):
            if waiting[at + 2] == 1 and waiting[at + 1].isdigit():
                name = waiting[at].decode("utf-8", "replace")
                self._soon.waiting[name] = (int(waiting[at + 1]), waiting[at + 3].decode())
        return lost

    async def _drop_strays(self, names: list[bytes]) -> None:
        """Take names that are no text, which no script of ours wrote, out of the timetable."""
        strays = [name for name in names if name.decode("utf-8", "replace").encode() != name]
        if strays:
            await self._client.zrem(self.store.keys.schedule_due, *strays)

    async def _fetch(self) -> None:
        """Read the definitions of what comes that are not known in their present state."""
        soon = self._soon.ticks | self._soon.waiting
        missing = [name for name, (_, digest) in soon.items() if (name, digest) not in self._known]
        if not missing:
            return
        if len(self._known) > MOST_DEFINITIONS:
            self._known.clear()
        for name, found in (await self.store.load(missing)).items():
            if found.definition is not None:
                self._known[name, found.digest] = found.definition
            elif found.digest:
                logger.warning("The schedule %s is broken: %s", name, found.broken, extra={"action": "schedule-broken"})
                await self.store.set_aside(name, found.digest, found.broken)
                self._soon.ticks.pop(name, None)
            else:
                # Its definition was taken out by hand while a tick waited.
                await self._client.hdel(self.store.keys.schedule_waiting, name)
                self._soon.waiting.pop(name, None)

    def _proposals(self) -> list[list[Any]]:
        """What the script may fire now, by what this scheduler knows of the server's clock."""
        if self._ahead_ms is None:
            return []
        now = int(self._monotonic() * 1000 + self._ahead_ms)
        proposals: list[list[Any]] = []
        budget = MOST_TICKS
        for name, (tick, digest) in self._soon.ticks.items():
            definition = self._known.get((name, digest))
            if definition is not None and budget > 0:
                most = told_one_by_one(definition, len(self._soon.ticks))
                proposals.append(_tick_proposal(definition, tick, now + HORIZON_MS, most))
                budget -= len(proposals[-1][4]) // 2
        for name, (tick, digest) in self._soon.waiting.items():
            definition = self._known.get((name, digest))
            if definition is not None:
                proposals.append(["release", name, digest, tick, definition.parts, definition.key_base])
        return proposals

    async def _keep_up(self, defined: int, listed: int, unsettled: int) -> None:
        """Now and then: definitions without a place in the timetable, runs whose end nobody told, stock crons."""
        if not defined and not unsettled:
            return
        at = self._monotonic()
        if at - self._kept_up_at < UPKEEP_S:
            return
        self._kept_up_at = at
        self._retention = await self.store.retention(self._retention)
        if defined != listed:
            await self.store.retime(await self.store.unlisted())
        if unsettled:
            await settle_unsettled(self._client, self.queue, test_now_ms=self.store.test_ms)
        await hold_off_stock(self._client, self.queue, self._hold_off)


def _tick_proposal(definition: Definition, tick: int, until_ms: int, most: int) -> list[Any]:
    spec = definition.spec
    ticks = ticks_from(definition, tick, until_ms, most) if tick != NEVER_MS else None
    flat = ticks.flat if ticks else (NEVER_MS, NEVER_MS)
    return [
        "tick",
        spec.name,
        definition.digest,
        tick,
        flat,
        definition.parts,
        definition.key_base,
        spec.overlap.value,
        spec.catch_up.value,
        spec.catch_up_max,
        int(spec.catch_up_window_s * 1000),
        GRACE_MS,
        ticks.earlier if ticks else (),
    ]


class Scheduler:
    """Runs the schedules of some queues until it is cancelled: `await Scheduler(client, ["default"]).run()`.

    `client` is a redis-py asyncio client with bytes answers. Nothing but the server's clock decides what is due; the
    own one (`monotonic`, s) only says when to look again. `hold_off` names, by queue, the functions of the unique SAQ
    crons that this worker runs: stock workers are kept from enqueuing those too.
    """

    def __init__(
        self,
        client: Any,
        queues: Sequence[str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        test_now_ms: Callable[[], int] | None = None,
        retention: Retention | None = None,
        hold_off: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.queues = {
            queue: QueueScheduler(
                client,
                queue,
                monotonic=monotonic,
                test_now_ms=test_now_ms,
                retention=retention,
                hold_off=(hold_off or {}).get(queue, ()),
            )
            for queue in queues
        }
        self._away: dict[str, int] = {}
        self._fruitless: dict[str, int] = {}

    async def run(self) -> None:
        """Look at all queues for ever. A server that goes away is waited for, with back-off, one log line a change."""
        async with asyncio.TaskGroup() as group:
            for queue in self.queues.values():
                group.create_task(self._run(queue), name=f"schedules-{queue.queue}")

    async def _run(self, queue: QueueScheduler) -> None:
        while True:
            pause_s = await self.step(queue)
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # Python 3.11's wait_for, in redis-py, may swallow it
                raise asyncio.CancelledError
            await asyncio.sleep(pause_s)

    async def step(self, queue: QueueScheduler) -> float:
        """One look at one queue; returns how long to wait before the next, in s. It raises nothing."""
        try:
            turn = await queue.look()
        except (RedisError, OSError, TimeoutError) as error:
            return self._backed_off(queue.queue, error)
        except Exception:  # a bug: it is told with its traceback, and keeps no other queue's schedules from firing
            if not self._away.get(queue.queue):
                logger.exception("A look at the schedules of %s failed", queue.queue, extra={"action": "schedule-bug"})
            self._away[queue.queue] = self._away.get(queue.queue, 0) + 1
            return LOOK_S
        if self._away.pop(queue.queue, 0):
            logger.info("The schedules of %s go on", queue.queue, extra={"action": "schedule-back"})
        fruitless = self._fruitless[queue.queue] = self._fruitless.get(queue.queue, 0) + 1 if turn.again else 0
        if turn.again:
            if turn.fired or fruitless < MOST_FRUITLESS:
                return 0.0
            return LOOK_S  # something that no look can mend must not keep the server busy
        if turn.empty:
            return IDLE_S
        until_due_s = (turn.next_due_ms - turn.now_ms) / 1000
        return min(LOOK_S, max(0.01, until_due_s)) if turn.next_due_ms > 0 else LOOK_S

    def _backed_off(self, queue: str, error: Exception) -> float:
        tries = self._away[queue] = self._away.get(queue, 0) + 1
        if tries == 1:
            # An answer of the server (a key of a wrong type, out of memory) is told like its absence: once.
            what = "are refused" if isinstance(error, ResponseError) else "wait"
            logger.warning("The schedules of %s %s: %s", queue, what, error, extra={"action": "schedule-away"})
        longest: float = min(BACKOFF_CAP_S, 0.05 * 2 ** min(tries, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
