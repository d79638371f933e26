"""How much may be sent now: no more than the terminal takes, known by asking it.

After a piece of a frame the driver asks for the cursor position (``CSI 6n``). The terminal answers when it has read
that far, whatever sits between (sshd, TCP, tmux), so that the answer says what no local buffer tells.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_BYTES: Final = 2048
"""Most bytes that are under way without an answer."""

_SMALLEST_WINDOW: Final = 512
_SMALLEST_PIECE: Final = 256
_URGENT_S: Final = 0.25
_BACKGROUND_S: Final = 0.1
"""On a slow line the window shrinks to what it carries in this time. What a key did may use more than what changed
by itself, so that it never waits behind a full window."""

_ASK_FROM_BYTES: Final = 128
_ASK_EVERY_S: Final = 4.0
_PROBE_EVERY_S: Final = 3.0
_GIVE_UP_S: Final = 60.0
_MUTE_PAUSE_S: Final = 0.1
_BAD_RTT_S: Final = 0.35
_BAD_BYTES_PER_S: Final = 24_000
_BAD_SILENCE_S: Final = 1.5
_SAMPLES: Final = 8
_ALONE_BYTES: Final = 64
_ALONE_EVERY_S: Final = 10.0
_AT_FIRST_EVERY_S: Final = 1.0
_ENOUGH: Final = 3
_MEASURED_FROM_BYTES: Final = 256
_SMOOTHING: Final = 0.3
_SHORTEST_S: Final = 0.001
_TOGETHER_S: Final = 0.005
"""Answers so close to each other were read together: when the later ones came is not known."""


@dataclass(frozen=True, slots=True)
class LineQuality:
    """The line to the terminal as the answers show it."""

    rtt_ms: float | None
    """Shortest of the last answers to questions that went alone or were quicker, in milliseconds; None before one."""
    bytes_per_s: float | None
    """What the line carries; an estimate from below on a fast one, None before enough was sent."""
    bad: bool
    """Animations should stop and refreshes slow: round trip above 350 ms, below 24,000 bytes/s, or silent."""
    answers: bool
    """The terminal answers at all; otherwise frames are paced by the clock."""


class _Question(NamedTuple):
    asked_at: float
    n_bytes: int
    """Bytes sent since the question before, this one's piece included."""
    alone: bool
    """Nothing else was under way, and next to nothing with it: its answer tells the round trip."""


class _Sample(NamedTuple):
    """The newest measure of what the line carries, and what was known before it."""

    heard_at: float
    began: float
    n_bytes: int
    rate_before: float | None


class Pacer:
    """Counts what is under way. Times are seconds of ``clock``; one thread only."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        window_bytes: int = WINDOW_BYTES,
        patience_s: float = 1.5,
    ) -> None:
        self._clock: Final = clock
        self._window: Final = window_bytes
        self._patience_s: Final = patience_s
        self._questions: deque[_Question] = deque()
        self._unasked = 0
        self._round_trips: deque[float] = deque(maxlen=_SAMPLES)
        self._bytes_per_s: float | None = None
        self._sample = _Sample(float("-inf"), 0.0, 0, None)
        self._alone_at = float("-inf")
        self._doubtful = False
        self._heard = False
        self._heard_at = 0.0
        self._asked_at = float("-inf")
        self._mute = False
        self._mute_until = 0.0

    def start(self) -> None:
        """Forget what was under way: the terminal was taken anew. Measurements stay."""
        self._questions.clear()
        self._unasked = 0
        self._mute = False

    @property
    def outstanding(self) -> int:
        """Questions without an answer."""
        return len(self._questions)

    @property
    def unacknowledged(self) -> int:
        """Bytes sent that the terminal is not known to have taken."""
        return sum(question.n_bytes for question in self._questions) + self._unasked

    def room(self, *, urgent: bool = False) -> int:
        """Bytes that the next piece may have; 0 means wait for :meth:`answered` or :meth:`wait_s`."""
        if self._mute:
            return 0 if self._clock() < self._mute_until else self._window
        if self._doubtful and self._questions:
            return 0
        window = self.window(urgent=urgent)
        room = window - self.unacknowledged
        # Two pieces in the window keep the line busy while the answer to the first is on its way, and pieces of
        # a handful of bytes would cost more for asking than they carry.
        return min(room, max(window // 2, _SMALLEST_PIECE)) if room >= _SMALLEST_PIECE else 0

    def window(self, *, urgent: bool = False) -> int:
        """The most that may be under way: less than the limit on a line known to be slow."""
        if self._bytes_per_s is None:
            return self._window
        carried = int(self._bytes_per_s * (_URGENT_S if urgent else _BACKGROUND_S))
        return min(self._window, max(carried, _SMALLEST_WINDOW))

    def asks(self, n_bytes: int) -> bool:
        """Whether a piece of ``n_bytes`` should end with the question. Tiny ones seldom do."""
        if self._mute:
            return self._clock() - self._asked_at > _PROBE_EVERY_S
        return self._unasked + n_bytes >= _ASK_FROM_BYTES or self._clock() - self._asked_at >= _ASK_EVERY_S

    def probes(self, n_bytes: int) -> bool:
        """Whether a question should go ahead of a piece of ``n_bytes``, to learn the round trip."""
        return (
            n_bytes > _ALONE_BYTES
            and not self._questions
            and not self._mute
            and (self._doubtful or self._clock() - self._alone_at >= self._alone_every_s)
        )

    @property
    def _alone_every_s(self) -> float:
        """How often the round trip is asked for: while a program starts it is too busy to read answers in time."""
        return _ALONE_EVERY_S if len(self._round_trips) >= _ENOUGH else _AT_FIRST_EVERY_S

    def sent(self, n_bytes: int, *, asked: bool) -> None:
        """A piece is on its way."""
        now = self._clock()
        self._unasked += n_bytes
        if self._mute:
            self._mute_until = now + _MUTE_PAUSE_S
        if asked:
            self._asked_at = now
            if not self._mute:
                alone = not self._questions and self._unasked <= _ALONE_BYTES
                self._questions.append(_Question(now, self._unasked, alone))
                self._alone_at = now if alone else self._alone_at
            self._unasked = 0

    def answered(self, at: float | None = None) -> None:
        """The terminal answered its oldest question: now, or ``at`` that time, which a busy loop learns later."""
        now = self._clock() if at is None else at
        self._heard = True
        self._mute = False
        if self._questions:
            question = self._questions.popleft()
            self._measure(question, now)
        self._heard_at = now

    def wait_s(self) -> float | None:
        """Seconds until :meth:`overdue` should be called; None while nothing is awaited."""
        now = self._clock()
        if self._mute:
            return max(0.0, self._mute_until - now)
        if not self._questions:
            return None
        bound = self._patience_s if not self._heard else _PROBE_EVERY_S
        return max(0.0, max(self._asked_at, self._questions[-1].asked_at) + bound - now)

    def overdue(self) -> bool:
        """Called after :meth:`wait_s`: True when the driver should ask again, with nothing else.

        A terminal that never answered is from now on paced by the clock. One that did is probed, because it may
        be another one now (a reattached session); after a minute it counts as mute, too.
        """
        if self._mute or not self._questions:
            return False
        silence = self._clock() - max(self._heard_at, self._questions[0].asked_at)
        if not self._heard or silence >= _GIVE_UP_S:
            self._questions.clear()
            self._unasked = 0
            self._mute = True
            return False
        return True

    @property
    def quality(self) -> LineQuality:
        """The line as it is known now."""
        rtt = min(self._round_trips) if self._round_trips else None
        rate = self._bytes_per_s
        silent = bool(self._questions) and self._clock() - self._questions[0].asked_at > _BAD_SILENCE_S
        slow = rtt is not None and rtt > _BAD_RTT_S
        thin = rate is not None and rate < _BAD_BYTES_PER_S
        return LineQuality(
            rtt_ms=None if rtt is None else rtt * 1000,
            bytes_per_s=rate,
            bad=silent or slow or thin,
            answers=not self._mute,
        )

    def _measure(self, question: _Question, now: float) -> None:
        elapsed = now - question.asked_at
        quicker = elapsed < min(self._round_trips, default=float("inf"))
        if question.alone or quicker:
            self._round_trips.append(elapsed)
            # Carried and answered sooner than what went alone: that was measured in a busy moment, and what the
            # carrying took of this time is not known before the next one that goes alone.
            self._doubtful = not question.alone
        if question.n_bytes < _MEASURED_FROM_BYTES or self._doubtful:
            return
        last = self._sample
        if now - last.heard_at < _TOGETHER_S:  # a busy loop reads answers late and at once: they are one sample
            began, n_bytes, rate = last.began, last.n_bytes + question.n_bytes, last.rate_before
        else:
            # The line began with this piece when it had finished the one before, or when the piece reached it.
            began = max(self._heard_at, question.asked_at + min(self._round_trips))
            n_bytes, rate = question.n_bytes, self._bytes_per_s
        self._sample = _Sample(now, began, n_bytes, rate)
        sample = n_bytes / max(now - began, _SHORTEST_S)
        self._bytes_per_s = sample if rate is None else rate + _SMOOTHING * (sample - rate)
