"""`python -m tui`: the dashboard. Nothing heavy is imported before it is known that it will be shown."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # importing typing for it would cost more than all of this module

if TYPE_CHECKING:
    from tui.firstsight import FirstSight
    from tui.lookout import Lookout

NOT_INSTALLED = "quarterdeck is not installed here (no module {name}). Type: make run"
NO_TERMINAL = "The dashboard needs a terminal. Without one use: quarterdeck status"


def main(argv: Sequence[str] | None = None) -> int:
    """Show the dashboard that the command line asks for; the exit status of DESIGN §11. Raises QuarterdeckError."""
    gc.disable()  # until the first painting is out: what is imported now stays
    words = list(sys.argv[1:] if argv is None else argv)
    if "--keys" in words:
        from tui.commands.table import table

        sys.stdout.write(table() + "\n")
        return 0
    from quarterdeck.cli.frame import parse_dashboard
    from quarterdeck.errors import UsageError

    args = parse_dashboard(words)
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError(NO_TERMINAL)
    from tui.terminal.capabilities import detect

    found = detect()
    if found.dumb:
        return _watch_status(args.settings, ascii=args.ascii or found.ascii)
    from tui.firstsight import FirstSight
    from tui.lookout import Lookout
    from tui.terminal import guardian, prelude

    guardian.guard()
    lookout = Lookout.send(args.settings, args.view)
    sight = FirstSight(args.settings, args.view, found, light=_light())
    sight.show()
    try:
        return _show(args, lookout, sight)
    finally:
        prelude.end()


def _show(args: object, lookout: Lookout | None, sight: FirstSight) -> int:
    """Run the app in this process until it ends."""
    from msgspec.structs import replace

    from tui.terminal.capabilities import detect, raise_escape_delay

    settings = args.settings  # type: ignore[attr-defined]
    if settings.plain_driver:
        raise_escape_delay()  # before anything of Textual's, which reads it once
    from tui import ballast

    ballast.load_asyncio(tls=ballast.needs_tls(settings.url))
    ballast.load_textual()
    from tui.screens.places import view_opened

    first = view_opened(args.view)  # type: ignore[attr-defined]
    from tui.app import Deck
    from tui.look.themes import theme_name
    from tui.mooring import Mooring, station_of
    from tui.terminal.driver import driver_class
    from tui.terminal.manners import run

    found = detect()
    if found.ascii:
        settings = replace(settings, ascii=True)
    theme = theme_name(_light(), int(found.colours), os.environ)
    station = station_of(settings, Mooring(settings, lookout, sight), first, theme)
    deck = Deck(station, driver_class(plain=settings.plain_driver))
    status = run(deck)
    if deck.fatal is not None:
        raise deck.fatal
    return status


def _light() -> bool:
    """Whether the terminal says that its ground is light (`COLORFGBG`, as rxvt and its kin set it)."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in {"7", "15"}


def _watch_status(settings: object, *, ascii: bool) -> int:  # noqa: A002  (the word of the command line)
    """On a terminal that can't place a cursor: print the overview again and again."""
    from argparse import Namespace

    from quarterdeck.cli import status

    return int(status.run(Namespace(settings=settings, json=False, watch=True, every=2.0, ascii=ascii)))


def entry() -> int:
    """Run `main`; our own errors become one sentence on stderr and their exit status."""
    try:
        from quarterdeck.cli.frame import guarded
    except ModuleNotFoundError as error:
        sys.stderr.write(NOT_INSTALLED.format(name=error.name) + "\n")
        return 2
    try:
        return guarded(main, "python -m tui")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"tui", "quarterdeck"}:
            raise
        sys.stderr.write(NOT_INSTALLED.format(name=error.name) + "\n")
        return 2


if __name__ == "__main__":
    sys.exit(entry())
