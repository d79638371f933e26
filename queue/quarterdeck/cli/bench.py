"""Measure the engine against stock SAQ and every other queue that is installed, side by side on one server.

The server is a Valkey of its own; nothing else on this machine is touched. Each library runs in processes of its own
with its fast settings and its results kept; ours with its whole history. The exit status is 1 when a bar was missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from quarterdeck.cli.benching.contender import OURS, PEERS, STOCK, Contender
from quarterdeck.cli.benching.machine import this_machine
from quarterdeck.cli.benching.measures import MEASURES
from quarterdeck.cli.benching.report import Report, lines, markdown
from quarterdeck.cli.benching.server import bench_server
from quarterdeck.cli.benching.stage import Stage
from quarterdeck.cli.frame import whole
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.settings import nearest

ROUNDS, QUICK_ROUNDS = 5, 2
QUICK = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck bench` takes."""
    parser.add_argument("--only", metavar="NAME", action="append", choices=list(MEASURES), help=", ".join(MEASURES))
    parser.add_argument(
        "--rounds", type=whole(1, 1_000), metavar="N", help=f"rounds, in each everybody has a turn ({ROUNDS})"
    )
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer rounds: an idea, not a figure")
    parser.add_argument(
        "--peers", metavar="A,B", help="only these besides saq; none for nobody. " + ", ".join(p.name for p in PEERS)
    )
    parser.add_argument("--transport", choices=("unix", "tcp"), default="unix", help="Unix socket, or loopback TCP")
    parser.add_argument("--append-only", action="store_true", help="let the server write its append-only file")
    parser.add_argument("--markdown", action="store_true", help="print the table as a page shows it")
    parser.add_argument("--json", action="store_true", help="print everything as JSON, single runs too")


def run(args: argparse.Namespace) -> int:
    """Measure and print; the exit status."""
    peers = _peers(args.peers)
    rounds = args.rounds or (QUICK_ROUNDS if args.quick else ROUNDS)
    machine = this_machine()
    with bench_server(append_only=args.append_only) as server:
        stage = Stage(server, rounds, QUICK if args.quick else 1.0, args.transport, peers)
        rows = [row for name in args.only or MEASURES for row in MEASURES[name](stage)]
        report = Report(
            machine=machine,
            server=server.version,
            transport=args.transport,
            append_only=args.append_only,
            versions={name: text for each in (OURS, STOCK, *peers) for name, text in each.versions.items()},
            rounds=rounds,
            scale=stage.scale,
            rows=rows,
            figures=stage.figures,
        )
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        print("\n".join(markdown(report) if args.markdown else lines(report)))
    return ExitStatus.TROUBLE if any(row.met is False for row in rows) else ExitStatus.DONE


def _peers(wanted: str | None) -> Sequence[Contender]:
    """The peers that are there; those that are not are named, with the way to have them."""
    known = {each.name for each in PEERS}
    names = known if wanted is None else {word.strip() for word in wanted.split(",")} - {"none", ""}
    for name in names - known:
        raise UsageError(f"There is no peer '{name}'.", nearest(name, known))
    asked = [each for each in PEERS if each.name in names]
    missing = [each.name for each in asked if not each.installed]
    if missing:
        print(f"not installed, so not measured: {', '.join(missing)} (pip install quarterdeck[peers])", file=sys.stderr)
    return [each for each in asked if each.installed]
