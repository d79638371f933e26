"""Commands for this worker that operators and clients left on the server."""

from __future__ import annotations

import logging
import sys
import traceback
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from quarterdeck.worker.attempt import Attempt
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

STACK_LIMIT: Final = 8000
"""Characters kept of a stack."""


class Command(msgspec.Struct):
    """One command: quiet, resume, stop, concurrency (value: slots), stack (value: the job's key); and what
    scripts tell: abort (value: the job's key), due (value: the queue where a delayed job is due soon)."""

    command: str
    value: str | int = ""
    who: str = ""


class Control:
    """Carries commands out."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def obey(self, record: bytes) -> None:
        """Carry out a command; what can't be read is logged and let go."""
        try:
            asked = msgspec.json.decode(record, type=Command)
        except (msgspec.DecodeError, UnicodeDecodeError):
            logger.warning("a command that can't be read: %r", record[:200])
            return
        if asked.command in {"abort", "due"}:
            self._hear(asked.command, str(asked.value))
            return
        logger.warning("told to %s %s by %s", asked.command, asked.value, asked.who or "?")
        worker = self._worker
        if asked.command == "quiet":
            worker.paused = True
        elif asked.command == "resume":
            worker.paused = False
        elif asked.command == "stop":
            worker.event.set()
        elif asked.command == "concurrency":
            self._concurrency(str(asked.value))
        elif asked.command == "stack":
            worker.stack = (self.stack_of(str(asked.value)), str(asked.value))
        else:
            logger.warning("the command %r is not known", asked.command)
        worker.turns.kick()
        worker.beats.soon()

    def _hear(self, word: str, value: str) -> None:
        worker = self._worker
        if word == "abort":
            worker.upkeeping.abort(value)
        else:
            promotion = worker.promotions.get(value)
            if promotion is not None:
                promotion.expect(0.0)

    def _concurrency(self, value: str) -> None:
        if value.isdecimal() and 0 < int(value) <= 10_000:
            self._worker.concurrency = int(value)
            self._worker.turns.set_concurrency(int(value))
        else:
            logger.warning("%r is no number of slots", value)

    def stack_of(self, key: str) -> str:
        """Where the job `key` is at this moment, as a traceback, or why that can't be said."""
        runner = self._worker.runner
        for attempt in [*runner.running.values(), *runner.overdue.values()]:
            if attempt.job.key == key:
                return _stack(attempt)[-STACK_LIMIT:]
        return "It is not running here."


def _stack(attempt: Attempt) -> str:
    if attempt.thread:
        frame = sys._current_frames().get(attempt.thread_id)
        return "".join(traceback.format_stack(frame)) if frame is not None else "Its thread has not begun."
    if attempt.task is None:
        return "It has not begun."
    lines: list[str] = []
    coroutine: Any = attempt.task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if isinstance(frame, FrameType):
            lines += traceback.format_list(traceback.StackSummary.extract([(frame, frame.f_lineno)]))
        waits: Any = getattr(coroutine, "cr_await", None)
        coroutine = waits if isinstance(waits, CoroutineType) else None
    return "".join(lines) or "It has just ended."
