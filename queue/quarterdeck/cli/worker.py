"""Run an app's jobs, its schedules and the rescue of lost jobs, until told to stop.

TARGET is MODULE:APP for an app (tasks:app) or MODULE.SETTINGS for SAQ's settings (myapp.settings).
SIGTERM stops in order: nothing new is taken, running jobs may finish within the grace time, the rest go back to the
front of their queues without an attempt being counted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from quarterdeck.cli.narration import CleanFormatter
from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.worker.supervisor import GRACE_S, Supervisor

if TYPE_CHECKING:
    from quarterdeck.broker.queue import Queue

YOUNG_OBJECTS = 10_000
"""After how many new objects the collector looks; Python's own 700 are a few dozen jobs."""
LEVELS = ("debug", "info", "warning", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck worker` takes."""
    parser.add_argument("target", metavar="TARGET", help="MODULE:APP or MODULE.SETTINGS")
    parser.add_argument("--processes", type=_count, default=1, metavar="N", help="worker processes (1)")
    parser.add_argument("--concurrency", type=_count, metavar="N", help="jobs at a time in each process (10)")
    parser.add_argument("--queues", dest="serve", metavar="A,B", help="in strict order: a,b; by weight: a:3,b:1")
    parser.add_argument("--name", default="", help="what the dashboard calls it (HOST:PID)")
    parser.add_argument("--burst", action="store_true", help="stop when nothing is left to do")
    parser.add_argument(
        "--grace-s", type=float, metavar="S", help=f"to finish at a stop ({GRACE_S:g}, or what SAQ's settings say)"
    )
    parser.add_argument("--no-schedules", action="store_true", help="leave the schedules to other workers")
    parser.add_argument("--capture-prints", action="store_true", help="what jobs print goes to their logs too")
    parser.add_argument("--log-level", choices=LEVELS, default="info", help="of what is told on stderr (info)")


def run(args: argparse.Namespace) -> int:
    """Run the worker, or as many as `--processes` says; the exit status."""
    if args.read_only:
        raise RefusedError("A worker runs and ends jobs, and this is read-only.", "Leave --read-only away.")
    _tell(args.log_level, args.name if args.processes == 1 else "")
    if args.processes > 1:
        return asyncio.run(Supervisor(_commands(args), grace_s=_grace_s(args)).run())
    return _run_one(args)


def _grace_s(args: argparse.Namespace) -> float:
    """How long a worker process takes to stop, at most."""
    if args.grace_s is not None:
        return float(args.grace_s)
    if ":" in args.target:
        return GRACE_S
    from quarterdeck.worker.target import load_target

    found = load_target(args.target)
    told = found.get("shutdown_grace_period_s") if isinstance(found, dict) else None
    return GRACE_S if told is None else float(told)


def _run_one(args: argparse.Namespace) -> int:
    """Run the worker in this process, on uvloop where there is one."""
    from quarterdeck.worker.service import Service, ServiceOptions

    order, weights = parse_queues(args.serve) if args.serve else (tuple(args.settings.queues), {})
    options = ServiceOptions(
        url=args.settings.url if args.url or args.env else None,
        settings_url=args.settings.url,
        data_dir=args.settings.data_dir,
        queues=order,
        weights=weights,
        concurrency=args.concurrency,
        name=args.name,
        burst=args.burst,
        grace_s=args.grace_s,
        schedules=not args.no_schedules,
        prints=args.capture_prints,
        log_level=logging.DEBUG if args.log_level == "debug" else logging.INFO,
    )
    service = Service(args.target, options)
    _calm_the_collector()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(service.run(beside=_carry_bulks))


def _calm_the_collector() -> None:
    """Look for cyclic garbage less often, and not among what was imported: it took a fifth of the CPU at full speed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


async def _carry_bulks(queues: list[Queue]) -> None:
    """Carry operators' bulk operations on while their dashboards are away."""
    from quarterdeck.operate.identity import identify
    from quarterdeck.operate.runner import BulkRunner

    names = [queue.name for queue in queues]
    await BulkRunner(queues[0].redis, runner=identify().id, queues=names).run()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def parse_queues(text: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """Names in their order, and their weights when they have any: `a,b` or `a:3,b:1`.

    A name may hold colons; the number after the last one is the weight. Raises UsageError.
    """
    names: list[str] = []
    weights: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, weight = part.rpartition(":")
        if colon and weight.isdecimal():
            weights[name] = int(weight)
        names.append(name if colon and weight.isdecimal() else part)
    if not names or "" in names or len(set(names)) < len(names):
        raise UsageError(f"--queues '{text}' is no list of queues.", "Write a,b in strict order, or a:3,b:1 by weight.")
    if weights and (len(weights) < len(names) or 0 in weights.values()):
        raise UsageError(f"--queues '{text}' gives some queues a weight and some none.", "Write a:3,b:1.")
    return tuple(names), weights


def _commands(args: argparse.Namespace) -> list[Sequence[str]]:
    """The command line of each process: ours, with one process and a name of its own."""
    words = list(sys.argv[1:])
    for flag in ("--processes", "--name"):
        words = _without(words, flag)
    base = args.name or socket.gethostname()
    command = [sys.executable, "-m", "quarterdeck", *words, "--processes", "1"]
    return [[*command, "--name", f"{base}#{number + 1}"] for number in range(args.processes)]


def _without(words: Sequence[str], flag: str) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == flag:
            skip = True
        elif not word.startswith(f"{flag}="):
            kept.append(word)
    return kept


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 up")
    return int(text)


def _tell(level: str, name: str) -> None:
    """One readable line a record on stderr; nothing of it is data."""
    who = name or str(os.getpid())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter(f"%(asctime)s {who} %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level == "info":  # SAQ tells each job's start and end there: for debugging, and a cost at speed
        logging.getLogger("saq").setLevel(logging.WARNING)
