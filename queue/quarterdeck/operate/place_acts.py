"""Acts on queues and workers, and enqueuing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.model import Outcome, PauseStat
from quarterdeck.operate import queues, workers
from quarterdeck.operate.arguments import check, nearest
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.text import human_duration


class PlaceActs(Bridge):
    """The acts of `model.Operator` that concern queues and workers."""

    async def enqueue(
        self,
        queue: str,
        function: str,
        arguments: Mapping[str, Any],
        *,
        key: str | None = None,
        delay_s: float = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Enqueue a job once its arguments fit what live workers say of the function."""
        self._guard.require("enqueue")
        specs, stock = await workers.specs(self._client, queue)
        spec = specs.get(function)
        if spec is not None:
            check(spec, arguments)
        elif specs and not stock:
            raise RefusedError(
                f"No live worker of the queue '{queue}' registers the function '{function}'.",
                nearest(function, specs) or f"They know: {', '.join(sorted(specs)[:10])}.",
            )
        told = {"timeout": spec.timeout_s, "retries": spec.retries} if spec else {}
        usual = {name: value for name, value in told.items() if value is not None}  # what its author meant for it
        fields: dict[str, Any] = {**usual, **(options or {}), "kwargs": dict(arguments)}
        if key:
            fields["key"] = key
        if delay_s > 0:
            fields["scheduled"] = int(await queues.server_ms(self._client) / 1000 + delay_s)
        job = await self._queue(queue).enqueue(function, **fields)
        if job is None:
            raise RefusedError(f"A job with the key '{key}' is queued or running already in '{queue}'.")
        note = "" if spec or not specs else " No live worker says that it knows this function."
        line = self._echo.of_enqueue(queue, function, arguments, key=key, delay=delay_s or None)
        undo = UndoRecord(kind="enqueue", queue=queue, who=self.who, data={"key": job.key})
        return await self._done(
            "enqueue",
            f"{function} {job.key}",
            f"Enqueued {function}.{note}",
            queue=queue,
            command=line,
            key=job.key,
            undo=undo,
        )

    async def pause_queue(self, queue: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        """Pause a queue for a time, or until resumed when `for_s` is None. Needs deck workers."""
        self._guard.require("pause")
        await queues.pause(self._client, queue, owner=self.who, reason=reason, for_s=for_s)
        length = "until it is resumed" if for_s is None else f"for {human_duration(for_s * 1000)}"
        return await self._done(
            "pause-queue",
            queue,
            f"Paused the queue {queue} {length}.",
            queue=queue,
            reason=reason,
            command=self._echo.line("queues", "pause", queue, **_length(for_s), reason=reason),
            undo=UndoRecord(kind="pause-queue", queue=queue, who=self.who),
        )

    async def resume_queue(self, queue: str) -> Outcome:
        """Resume a queue."""
        self._guard.require("resume")
        raw = await self._client.get(keys_of(queue).paused)
        if raw is None:
            raise RefusedError(f"The queue '{queue}' is not paused.")
        stat = msgspec.json.decode(raw, type=PauseStat)
        await queues.resume(self._client, queue)
        undo = {"stat": raw.decode(), "until_ms": stat.until_ms}
        return await self._done(
            "resume-queue",
            queue,
            f"Resumed the queue {queue}.",
            queue=queue,
            command=self._echo.line("queues", "resume", queue),
            undo=UndoRecord(kind="resume-queue", queue=queue, who=self.who, data=undo),
        )

    async def control_worker(self, worker: str, command: str, value: str = "") -> Outcome:
        """Tell a worker: quiet, resume, stop, concurrency (value: slots), stack (value: job key)."""
        self._guard.require("resume" if command == "resume" else command if command in workers.COMMANDS else "quiet")
        name = await workers.tell(self._client, worker, command, value, who=self.who, queues=await self.queues())
        words = f"{command} {value}".strip()
        line = self._echo.line("workers", command, name, *([value] if value else []))
        return await self._done(f"worker-{command}", name, f"Told {name}: {words}.", command=line)


def _length(for_s: float | None) -> dict[str, str]:
    return {"for": "forever" if for_s is None else f"{for_s:g}s"}
