"""A worker process for the fault tests: every start and end of a job is a line in a file that no server can lose."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time

OPTIONS = json.loads(sys.argv[1])

if OPTIONS.get("skew_s"):  # before anybody has bound time.time
    _true_time = time.time
    time.time = lambda: _true_time() + OPTIONS["skew_s"]

import saq.worker  # noqa: E402
from saq.queue.redis import RedisQueue  # noqa: E402

from quarterdeck.broker.queue import Queue  # noqa: E402
from quarterdeck.worker import Worker  # noqa: E402

LEDGER = os.open(OPTIONS["ledger"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)


def note(word: str, context: dict) -> None:
    job = context["job"]
    os.write(LEDGER, f"{word} {job.key} {job.attempts} {os.getpid()}\n".encode())


async def step(context, pause_s=0.0, pad=""):
    note("S", context)
    await asyncio.sleep(pause_s)
    note("E", context)
    return "done"


async def gated(context, gate):
    """Run until a file is there."""
    note("S", context)
    while not os.path.exists(gate):  # noqa: PTH110
        await asyncio.sleep(0.05)
    note("E", context)


async def block(context, pause_s=0.0):
    """Block the whole event loop."""
    note("S", context)
    time.sleep(pause_s)
    note("E", context)


async def die(context):
    note("S", context)
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


def plain(context, pause_s=0.0):
    note("S", context)
    time.sleep(pause_s)
    note("E", context)


async def main() -> None:
    functions = [step, gated, block, die, plain]
    if OPTIONS.get("stock"):
        queue = RedisQueue.from_url(OPTIONS["url"], name=OPTIONS["queue"])
        worker = saq.worker.Worker(queue, functions, concurrency=OPTIONS.get("concurrency", 10))
    else:
        queue = Queue.from_url(OPTIONS["url"], name=OPTIONS["queue"])
        worker = Worker(
            queue,
            functions,
            concurrency=OPTIONS.get("concurrency", 10),
            lease_s=OPTIONS.get("lease_s", 2.0),
            beat_s=OPTIONS.get("beat_s", 0.4),
            shutdown_grace_period_s=OPTIONS.get("grace_s", 0),
            on_lost=OPTIONS.get("on_lost", {}),
        )
    await queue.connect()
    os.write(LEDGER, f"U - 0 {os.getpid()}\n".encode())
    await worker.start()
    await queue.disconnect()


logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(name)s %(message)s")
asyncio.run(main())
