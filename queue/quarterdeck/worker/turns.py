"""Turns with the server: what ended goes out, what there is to do comes in, several calls in flight.

A call's answer may be lost with its connection. Then its turn is made void (`lua/void.lua`), which says what was
carried out and gives back what was taken; what was not carried out is sent again. Nothing is done twice, nothing is
forgotten.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from redis import exceptions

from quarterdeck.broker.ending import Settlement, arranged
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.broker.wire import Wire, is_passing
from quarterdeck.record.retention import HISTORY_COUNT
from quarterdeck.worker.clock import ServerClock
from quarterdeck.worker.complaints import Complaints
from quarterdeck.worker.link import POLL_S, Link
from quarterdeck.worker.state import QueueState
from quarterdeck.worker.turn import Turn, void

IN_FLIGHT: Final = 3
"""Turns on their way at a time: one is run while the others travel."""
LARGEST_TAKE: Final = 100
LARGEST_SETTLE: Final = 200
MEET_EVERY: Final = 256
"""After so many turns one waits for the answers under way, and does the work of two: fewer round trips."""

Taken = Callable[[int, str, list[bytes], list[bytes], list[bytes]], None]
"""Called with queue number, holder, marked, unmarked, alone (each ID, payload, ...)."""


class Turns:
    """The worker's way to the server. `slots()` says how many more jobs it can take, `taken` gets what was taken."""

    def __init__(
        self,
        queues: Sequence[Queue],
        worker: str,
        clock: ServerClock,
        slots: Callable[[], int],
        taken: Taken,
        *,
        concurrency: int,
        weights: Mapping[str, int] | None = None,
    ) -> None:
        self.queues = list(queues)
        self.states = [QueueState(queue.name) for queue in queues]
        self.worker = worker
        self.history_count = HISTORY_COUNT
        self.token = 0
        self.calls = 0
        self.largest_take = 1
        self.set_concurrency(concurrency)
        self.on_refused: Callable[[Settlement], None] = lambda _item: None
        self.on_idle: Callable[[], None] = lambda: None
        self.on_delayed: Callable[[int, float], None] = lambda _number, _due_s: None
        """Called with queue number and epoch s on the server's clock when a job was put off until then."""
        self._clock = clock
        self._slots = slots
        self._taken = taken
        self._weights = [max(1, weights.get(queue.name, 1)) for queue in queues] if weights else None
        self._shas = {False: script("turn").sha, True: script("turn_each").sha}
        self._names = [queue.name for queue in queues]
        self._head = (len(queues), *(queue.keys.queued for queue in queues), worker)
        self._json = msgspec.json.encode(worker)
        self._pending: deque[Settlement] = deque()
        self._doubtful: deque[Settlement] = deque()
        self._broken: list[Turn] = []
        self._in_flight: deque[Turn] = deque()
        self._reserved = 0
        self._unleased = False
        self._kicked = False
        self._apart = 0
        self._complaints = Complaints()
        self._link = Link(queues[0].caller.endpoint, self._clear_up, self._ready, self._complaints)
        self.connected = self._link.connected
        """Set while the connection is there."""
        self.quiet = asyncio.Event()
        """Set while nothing waits to be settled and no turn is on its way."""
        self.quiet.set()
        self.loop = asyncio.get_running_loop()

    def set_concurrency(self, concurrency: int) -> None:
        """How many jobs run at a time. Two turns share the slots: the server works on one while the jobs of the other
        run. (One turn for all saves a quarter of the CPU at ten slots, and leaves each side waiting for the other: with
        a core for each that is 8,400 jobs/s instead of 11,600.)"""
        self.largest_take = max(1, min(LARGEST_TAKE, math.ceil(concurrency / 2)))

    @property
    def wire(self) -> Wire | None:
        """The open connection, or None while the server is away."""
        return self._link.wire

    @property
    def unsettled(self) -> int:
        """How many ended jobs the server has not confirmed yet."""
        return len(self._pending) + len(self._doubtful) + sum(len(turn.items) for turn in self._in_flight)

    @property
    def dry(self) -> bool:
        """Whether the queues were asked, and nothing that may be taken was left in them."""
        asked = self.connected.is_set() and not self._reserved and not self._unleased
        return asked and not any(state.ripe for state in self.states)

    def holders(self) -> dict[str, str]:
        """Who holds the jobs that wait to be settled: ID → W/TOKEN/."""
        waiting = [*self._pending, *self._doubtful, *(item for turn in self._in_flight for item in turn.items)]
        return {item[2]: item[3] for item in waiting}

    def travelling(self, token: int) -> bool:
        """Whether the answer to a turn may still come, or is being cleared up."""
        first = self._in_flight[0].token if self._in_flight else self.token + 1
        return token >= first or not self.connected.is_set()

    def start(self) -> None:
        """Begin to connect; turns follow."""
        self._link.connect()

    def settle(self, item: Settlement) -> None:
        """Send what became of a job with the next turn; again until it was carried out."""
        self._pending.append(item)
        self.quiet.clear()
        if not self._kicked:
            self._kicked = True
            self.loop.call_soon(self._flush)

    def kick(self) -> None:
        """Something changed: take a turn if there is reason to."""
        if not self._kicked:
            self._kicked = True
            self.loop.call_soon(self._flush)

    def close(self) -> None:
        """End at once; safe to call twice."""
        self._link.close()

    # -- sending --

    def _flush(self) -> None:
        self._kicked = False
        wire = self.wire
        if wire is None or not self.connected.is_set():
            return
        most = self.largest_take
        if self._apart >= MEET_EVERY:
            if self._in_flight:
                return  # the answer under way brings us here again
            most *= 2
        if not self._in_flight:
            self._apart = 0
        while len(self._in_flight) < IN_FLIGHT:
            want, order = self._wanted(most)
            items = self._next_items()
            if not items and want <= 0:
                break
            self._apart += 1
            self._send(wire, items, want, order)
        if not self._in_flight and not self._pending and not self._doubtful:
            self.quiet.set()

    def _wanted(self, most: int) -> tuple[int, list[int]]:
        """How many jobs to take now, `most` at most, and from which queues in which order."""
        order = [number for number, state in enumerate(self.states, 1) if state.ripe]
        if not order:
            return 0, order
        want = min(self._slots() - self._reserved, most)
        if self._weights is not None and len(order) > 1:
            order.sort(key=lambda number: random.random() ** (1 / self._weights[number - 1]), reverse=True)  # type: ignore[index] # noqa: S311 - no secret
        return max(0, want), order

    def _next_items(self) -> list[Settlement]:
        pending = self._pending
        if self._doubtful and not self._in_flight:
            return [self._doubtful.popleft()]  # alone on its way: what breaks the script is found out
        if len(pending) <= LARGEST_SETTLE:
            items = list(pending)
            pending.clear()
            return items
        return [pending.popleft() for _ in range(LARGEST_SETTLE)]

    def _send(self, wire: Wire, items: list[Settlement], want: int, order: list[int]) -> None:
        self.token += 1
        turn = Turn(self.token, items, want, order)
        self._in_flight.append(turn)
        self._reserved += want
        self.quiet.clear()
        settlements, turn.unusual = arranged(items)
        command: list[Any] = [
            "EVALSHA",
            self._shas[turn.unusual],
            *self._head,
            self._json,
            self.token,
            want,
            self.history_count,
            self._names[0],
            ",".join(map(str, order)),
            len(self._names),
            *self._names,
            *settlements,
        ]
        self.calls += 1
        wire.send(tuple(command), lambda answer: self._answered(turn, answer))

    # -- answers --

    def _answered(self, turn: Turn, answer: Any) -> None:
        if isinstance(answer, (exceptions.ConnectionError, exceptions.TimeoutError)) and not is_passing(answer):
            self._link.connect()
            return
        if not self._in_flight or self._in_flight[0] is not turn:
            return
        self._in_flight.popleft()
        self._reserved -= turn.want
        if isinstance(answer, BaseException):
            self._failed(turn, answer)
            return
        word, now_ms, refused, errors, takes = answer
        self._clock.learn(now_ms)
        if word == b"fenced":
            self._pending.extendleft(reversed(turn.items))
        for number in refused:
            self.on_refused(turn.items[number - 1])
        for error in errors:
            self._complaints.say(error.decode("utf-8", "replace"))
        if turn.unusual:
            self._tell_delays(turn.items)
        self._unleased = word == b"unleased"
        if self._unleased:
            for number in turn.order:
                self.states[number - 1].rest(POLL_S / 2)
        else:
            self._distribute(turn, takes)
        self.kick()

    def _tell_delays(self, items: list[Settlement]) -> None:
        for number, what, _, _, _, due, *_ in items:
            if what in {"r", "b"} and due != "0":
                self.on_delayed(number, float(due))

    def _distribute(self, turn: Turn, takes: list[Any]) -> None:
        got = 0
        holder = f"{self.worker}/{turn.token}/"
        for number, (word, marked, unmarked, alone) in zip(turn.order, takes, strict=False):
            state = self.states[number - 1]
            if word == b"ok":
                state.drained()
            elif word == b"more":
                state.filled()
            elif word == b"paused":
                state.rest(POLL_S)
            elif word != b"skipped":
                state.rest(POLL_S * 2)
                self._complaints.say(f"queue {state.name}: {word.decode('utf-8', 'replace')}")
            if marked or unmarked or alone:
                got += 1
                self._taken(number, holder, marked, unmarked, alone)
        if turn.want and not got:
            self.on_idle()

    def _failed(self, turn: Turn, error: BaseException) -> None:
        """The server refused the call, or the script broke off."""
        if isinstance(error, exceptions.NoScriptError) or is_passing(error):
            self._pending.extendleft(reversed(turn.items))
            if not isinstance(error, exceptions.NoScriptError):
                self._complaints.say(f"the server can't work now: {error}")
            self._link.pause(0.0 if isinstance(error, exceptions.NoScriptError) else POLL_S)
            return
        # Broken off half way, on data of a wrong kind: one by one, so that one bad job holds up no other.
        self._complaints.say(f"a turn failed: {error}")
        self._broken.append(turn)
        for number in turn.order:
            self.states[number - 1].rest(POLL_S * 2)
        self._link.pause(POLL_S)

    # -- the connection --

    async def _clear_up(self, wire: Wire) -> None:
        """Find out what became of the turns that have no answer, or broke off; what they did not do is sent again."""
        if self._in_flight:
            undone = await void(wire, self.queues, self.worker, self._in_flight)
            self._in_flight.clear()
            self._reserved = 0
            self._pending.extendleft(reversed(undone))
        while self._broken:
            turn = self._broken[0]
            try:
                undone = await void(wire, self.queues, self.worker, [turn])
            except exceptions.ResponseError as error:
                if is_passing(error):
                    raise
                undone = turn.items  # what is wrong with them breaks this script too; what was done is refused
            self._doubtful.extend(undone)
            del self._broken[0]

    def _ready(self, *, fresh: bool) -> None:
        if fresh:
            for state in self.states:
                state.filled()
        self.kick()
