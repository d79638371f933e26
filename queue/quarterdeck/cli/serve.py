"""The HTTP API, /metrics and notifications.

Listens on 127.0.0.1 unless told otherwise. Acts need a token (QUARTERDECK_TOKEN or --token-file); on another address
than the loopback one, reading needs it too.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.cli.frame import whole
from quarterdeck.errors import QuarterdeckError, UsageError

if TYPE_CHECKING:
    from quarterdeck.model import Source
    from quarterdeck.watch.notifications import Notifier
    from quarterdeck.watch.rules import Watcher

HOST, PORT = "127.0.0.1", 9181
WATCH_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck serve` takes."""
    parser.add_argument("--host", metavar="ADDRESS", help=f"where to listen ({HOST})")
    parser.add_argument("--port", type=whole(0, 65_535), metavar="N", help=f"0 for a free one ({PORT})")
    parser.add_argument("--token-file", metavar="FILE", help="holds the token; else QUARTERDECK_TOKEN")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; the exit status."""
    table = args.settings.serve
    args.host = args.host or table.get("host", HOST)
    args.port = args.port if args.port is not None else table.get("port", PORT)
    token = _token(args.token_file or table.get("token_file"))
    local = _is_loopback(args.host)
    if not local and not token:
        raise UsageError(
            f"Serving on {args.host} without a token would let anyone read the queues.",
            "Set QUARTERDECK_TOKEN or --token-file, or listen on 127.0.0.1.",
        )
    try:
        import aiohttp  # noqa: F401 - is it here?
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"The command 'serve' needs {error.name}.", "Install quarterdeck[serve].") from None
    return asyncio.run(_serve(args, token, open_reads=local))


async def _serve(args: argparse.Namespace, token: str, *, open_reads: bool) -> int:
    from aiohttp import web

    from quarterdeck.broker.whereabouts import server_address
    from quarterdeck.cli.acting import operator_of
    from quarterdeck.inspect import open_source
    from quarterdeck.serve.application import application
    from quarterdeck.watch.notifications import Notifier
    from quarterdeck.watch.rules import Watcher, rules_of

    settings = args.settings
    watcher = Watcher(rules_of(settings.watch))
    notifier = Notifier.of(settings.watch, settings.environment)
    source = await open_source(server_address(settings.url, settings.data_dir), queues=settings.queues)
    async with operator_of(settings, carry_bulks=True) as operator:
        runner = web.AppRunner(application(source, operator, token=token, open_reads=open_reads), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, args.host, args.port)
        try:
            await site.start()
        except OSError as error:
            raise UsageError(
                f"Can't listen on {args.host}:{args.port}: {error.strerror}.", "Take another --host or --port."
            ) from error
        port = runner.addresses[0][1]
        print(
            f"Serving on http://{args.host}:{port} ({'acts with a token' if token else 'read-only'})", file=sys.stderr
        )
        watching = asyncio.create_task(_watch(source, watcher, notifier), name="watch")
        try:
            await _told_to_stop()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await runner.cleanup()
            await source.close()
    return 0


async def _watch(source: Source, watcher: Watcher, notifier: Notifier) -> None:
    """Look every few seconds and tell what the rules say; a server that is away is waited for."""
    from quarterdeck.model import View
    from quarterdeck.text import clean

    while True:
        try:
            alerts = watcher.look(await source.snapshot(View()))
        except QuarterdeckError as error:
            print(f"quarterdeck serve: {clean(str(error))}", file=sys.stderr)
            alerts = ()
        for alert in alerts:
            word = "ALERT" if alert.firing else "resolved"
            print(clean(f"{word}: {alert.rule}: {alert.text}"), file=sys.stderr)
        await notifier.tell(alerts)
        await asyncio.sleep(WATCH_S)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _token(path: str | None) -> str:
    if path is None:
        return os.environ.get("QUARTERDECK_TOKEN", "")
    try:
        token = Path(path).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"The token file {path} can't be read: {reason}.") from error
    if not token:
        raise UsageError(
            f"The token file {path} is empty.", "Put the token into it, or leave it out to serve read-only."
        )
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
