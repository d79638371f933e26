"""The other side of `worker.processes`: runs one job after the other, told and answered in frames."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import select
import signal
import sys
import threading
import traceback
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from quarterdeck.app.context import JobContext, enter
from quarterdeck.app.signature import dump
from quarterdeck.app.task import Task
from quarterdeck.text import plainjson

HEAD_BYTES = 4


class Channel:
    """Frames to and from the worker."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink

    def read(self) -> dict[str, Any] | None:
        """The next request, or None when the worker is gone."""
        head = self._source.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return None
        request: dict[str, Any] = plainjson.decode(self._source.read(int.from_bytes(head)))
        return request

    def write(self, answer: dict[str, Any]) -> None:
        """Send an answer. Raises TypeError for what JSON can't hold."""
        frame = plainjson.encode(answer)
        self._sink.write(len(frame).to_bytes(HEAD_BYTES) + frame)
        self._sink.flush()


class RemoteJob(JobContext):
    """The current job in this process: its progress goes through the channel."""

    def __init__(self, channel: Channel, request: dict[str, Any]) -> None:
        super().__init__()
        self._channel = channel
        self.key, self.queue = request["job"]["key"], request["job"]["queue"]
        self.function, self.worker = request["job"]["function"], request["job"]["worker"]
        self.attempt, self.retries, self.meta = request["attempt"], request["retries"], request["meta"]

    @property
    def log(self) -> logging.Logger:
        """The logger of this function."""
        return logging.getLogger(f"quarterdeck.job.{self.function}")

    @property
    def detached(self) -> bool:
        """A worker runs this."""
        return False

    def progress(self, share: float) -> None:
        """Tell the worker, which bounds how often it is stored."""
        self._channel.write({"progress": share})


class ChannelHandler(logging.Handler):
    """Sends log records to the worker, which puts them into the job's log."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - a record with wrong arguments must not fail the job that made it
            text = f"{record.msg!r} (with arguments that do not fit it: {record.args!r})"
        self._channel.write({"log": [record.levelname.lower(), text, int(record.created * 1000)]})


def run(channel: Channel, request: dict[str, Any]) -> dict[str, Any]:
    """Run the function of one request; the answer."""
    try:
        enter(RemoteJob(channel, request))
        found: Any = reduce(getattr, request["name"].split("."), import_module(request["module"]))
        task = found if isinstance(found, Task) else None
        if task is None:
            result = found(**request["arguments"])
        else:
            positional, named = task.signature.arrange(request["arguments"])
            result = task.function(*positional, **named)
        return {"result": dump(result)}
    except BaseException as error:  # noqa: BLE001 - whatever a function raises is its job's end
        return {
            "error": "".join(traceback.format_exception(error)),
            "kind": type(error).__name__,
            "message": _message(error),
            "pickle": _pickled(error),
        }


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - foreign code: any error there means that there is no message
        return ""


def _pickled(error: BaseException) -> str:
    try:
        return base64.b64encode(pickle.dumps(error)).decode()
    except Exception:  # noqa: BLE001 - an exception may hold anything, and its class may be local
        return ""


def main() -> None:
    """Serve until the worker closes the pipe. What functions print goes to stderr, and to read they find nothing: stdin
    and stdout are the channel."""
    source, sink = os.fdopen(os.dup(sys.stdin.fileno()), "rb"), os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    channel, pid = Channel(source, sink), os.getpid()
    threading.Thread(target=_end_with, args=(source.fileno(),), name="quarterdeck-worker-watch", daemon=True).start()
    logging.basicConfig(level=logging.INFO, handlers=[ChannelHandler(channel)], format="%(message)s")
    while (request := channel.read()) is not None:
        answer = run(channel, request)
        if os.getpid() != pid:  # the function forked, and this is its child, that came back from it too
            os._exit(0)
        channel.write(answer)


def _end_with(descriptor: int) -> None:
    """End this process, and what its function has started, when the worker is gone: its job runs elsewhere soon."""
    watched = select.poll()
    watched.register(descriptor, 0)  # no event but the end of the other side
    watched.poll()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
