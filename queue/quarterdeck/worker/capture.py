"""Catching what jobs log and print, in async code and in threads alike, on its way to the sink."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from quarterdeck.app.context import running_job
from quarterdeck.worker.logs import LINE_BYTES, LogSink

_ENGINES = frozenset({"saq", "quarterdeck.worker"})
"""Loggers that speak of jobs from outside: what they say is in the job's record."""
_BEGUN = 1000


class CaptureHandler(logging.Handler):
    """The logging handler that hands records made inside a job to the sink."""

    def __init__(self, sink: LogSink, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Put the record into the log of the job that made it; records made outside jobs are not ours."""
        job = running_job()
        if job is None or record.name in _ENGINES:
            return
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - a record with wrong arguments must not fail the job that made it
            text = f"{record.msg!r} (with arguments that do not fit it: {record.args!r})"
        self._sink.put(job, record.levelname.lower(), text, at_ms=int(record.created * 1000))


@contextmanager
def capturing(sink: LogSink, *, level: int = logging.INFO, prints: bool = False) -> Iterator[None]:
    """Capture what jobs log (at `level` and above) and, with `prints`, what they print, while inside."""
    handler = CaptureHandler(sink, level)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    restore: list[tuple[logging.Logger | logging.Handler, int]] = [(root, root.level)]
    if root.level > level:
        # What was not shown before stays unseen: only the jobs' logs get more.
        quiet: list[logging.Logger | logging.Handler] = [each for each in root.handlers if each is not handler]
        quiet += [logging.getLogger(name) for name in _ENGINES]
        for each in (each for each in quiet if each.level == logging.NOTSET):
            restore.append((each, logging.NOTSET))
            each.setLevel(root.level)
        root.setLevel(level)
    stdout = sys.stdout
    if prints:
        sys.stdout = PrintCapture(sink, stdout)
    try:
        yield
    finally:
        sys.stdout = stdout
        root.removeHandler(handler)
        for each, was in restore:
            each.setLevel(was)


class PrintCapture(io.TextIOBase):
    """A stdout that also puts whole lines printed inside a job into its log, at level `print`."""

    def __init__(self, sink: LogSink, stdout: TextIO) -> None:
        self._sink = sink
        self._stdout = stdout
        self._begun: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Write through, and keep what ends in a line end."""
        job = running_job()
        if job is not None:
            *lines, rest = (self._begun.pop(job.key, "") + text).split("\n")
            for line in lines:
                self._sink.put(job, "print", line)
            if rest:
                if len(self._begun) >= _BEGUN:  # of jobs that ended without ending their line
                    self._begun.clear()
                self._begun[job.key] = rest[-LINE_BYTES:]
        return self._stdout.write(text)

    def flush(self) -> None:
        """Flush the real one."""
        self._stdout.flush()
