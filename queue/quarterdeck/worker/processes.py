"""Plain functions in processes of their own (`executor="process"`), which can be killed at their time-out.

A process runs one job at a time, stays for the next, and speaks in frames: four bytes of length, then JSON. It ends
when its pipe does, so that it never outlives its worker.
"""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from quarterdeck.app.context import JobContext
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.text import plainjson
from quarterdeck.worker.supervisor import ending

HEAD_BYTES = 4
KEPT_IDLE = 8
"""Idle processes that stay for the next job."""

Tell = Callable[[JobContext, str, str, int], None]
"""Takes a line of the job's log: job, level, text, epoch ms."""


class ProcessDiedError(QuarterdeckError):
    """The process of a job ended under it: killed from outside, out of memory, or by the function itself."""


class RemoteTraceback(Exception):  # noqa: N818 - it is no error of its own: it shows where one was raised
    """The traceback of an exception as the job's process had it; the exception's cause."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text.rstrip()}\n"""'


class Processes:
    """The processes of one worker, started when they are needed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._idle: list[asyncio.subprocess.Process] = []
        self._all: set[asyncio.subprocess.Process] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that are alive, at work or idle."""
        return [process.pid for process in self._all if process.returncode is None]

    async def run(self, function: Callable[..., Any], arguments: Mapping[str, Any], job: JobContext) -> Any:
        """Run an importable function in a process; its result as JSON types.

        Cancelling kills the process. Raises what the function raised, or ProcessDiedError.
        """
        process = await self._take()
        try:
            result = await self._converse(process, _request(function, arguments, job), job)
        except BaseException as error:
            if not isinstance(error, _FunctionError):
                await self._kill(process)
                raise
            self._give_back(process)
            raise error.original from error.__cause__
        self._give_back(process)
        return result

    async def close(self) -> None:
        """Kill all of them; safe to call twice."""
        for process in list(self._all):
            await self._kill(process)

    async def _take(self) -> asyncio.subprocess.Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            self._all.discard(process)
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "quarterdeck.worker.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
            start_new_session=True,  # Ctrl-C in the terminal is the worker's to handle
        )
        self._all.add(process)
        return process

    def _give_back(self, process: asyncio.subprocess.Process) -> None:
        if len(self._idle) < KEPT_IDLE and process.returncode is None:
            self._idle.append(process)
        elif process.stdin is not None:
            process.stdin.close()

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        if process in self._idle:
            self._idle.remove(process)
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads a session: what its function started ends with it
        await process.wait()
        self._all.discard(process)

    async def _converse(self, process: asyncio.subprocess.Process, request: bytes, job: JobContext) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(request).to_bytes(HEAD_BYTES) + request)
            await process.stdin.drain()
            while True:
                size = int.from_bytes(await process.stdout.readexactly(HEAD_BYTES))
                answer: dict[str, Any] = plainjson.decode(await process.stdout.readexactly(size))
                if "log" in answer:
                    self._tell(job, *answer["log"])
                elif "progress" in answer:
                    job.progress(answer["progress"])
                elif "error" in answer:
                    raise _FunctionError(answer) from RemoteTraceback(answer["error"])
                else:
                    return answer["result"]
        except (asyncio.IncompleteReadError, ConnectionError):
            status = await process.wait()
            raise ProcessDiedError(f"The job's process ended {ending(status)}.") from None


class _FunctionError(Exception):
    """Carries what the function raised past the handling of what went wrong here."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__()
        self.original = _exception(answer)


def _exception(answer: Mapping[str, Any]) -> BaseException:
    """The exception itself when it could be pickled, else one of the same name and message."""
    try:
        found = pickle.loads(base64.b64decode(answer["pickle"]))  # noqa: S301 - our own process wrote it
        if isinstance(found, BaseException):
            return found
    except Exception:  # noqa: BLE001, S110 - unpickling runs the exception's own code, which may raise anything
        pass
    kind: type[Exception] = type(str(answer["kind"]), (Exception,), {"__module__": "remote"})
    return kind(answer["message"])


def check_importable(name: str, function: Callable[..., Any]) -> None:
    """Raise UsageError for a function that a new process can't find by its name."""
    if "<" in function.__qualname__ or function.__module__ == "__main__":
        raise UsageError(
            f"The task {name} can't run in a process: {function.__module__}.{function.__qualname__} can't be imported.",
            "Define it at the top of a module.",
        )


def _request(function: Callable[..., Any], arguments: Mapping[str, Any], job: JobContext) -> bytes:
    return plainjson.encode(
        {
            "module": function.__module__,
            "name": function.__qualname__,
            "arguments": arguments,
            "job": {"key": job.key, "queue": job.queue, "function": job.function, "worker": job.worker},
            "attempt": job.attempt,
            "retries": job.retries,
            "meta": job.meta,
        }
    )
