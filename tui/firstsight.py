"""The first painting, shown before anything is loaded, and kept for the next start.

What is on it is what the dashboard itself painted the last time at this point: the frame, the titles, "reading". So
it is there after a tenth of a second, and what the server says is painted over it as soon as it is known.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quarterdeck import __version__
from tui.terminal import prelude
from tui.terminal.album import Album, Painting

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver

    from quarterdeck.settings import Settings
    from tui.terminal.capabilities import Capabilities

RENEWED_S: Final = 86_400.0
"""A painting this old is painted anew, should anything have changed that its key does not tell."""
_SHEETS: Final = (Path(__file__).parent / "look" / "deck.tcss", Path(__file__).parent / "demo.tcss")


class FirstSight:
    """The painting that fits these settings, the view that `--view` names, this terminal and its size."""

    def __init__(self, settings: Settings, view: str | None, capabilities: Capabilities, *, light: bool) -> None:
        self._wanted: Final = not settings.plain_driver
        self._album: Final = Album(Path(settings.data_dir) / "paintings")
        self._key: Final = _key(settings, view, capabilities, light)
        self._known: Painting | None = None
        self.fresh = False
        """One was shown that need not be renewed: no painting without rows is wanted this time."""

    def show(self) -> None:
        """Show it, if the last start left one."""
        if self._wanted:
            self._known = self._album.find(self._key)
            if self._known is not None and prelude.show(self._known):
                self.fresh = self._album.age_s(self._key) < RENEWED_S

    def look(self, driver: Driver | None) -> Callable[[], None]:
        """Take note of what is painted now; what is returned keeps it, when there is time for that."""
        draw = getattr(driver, "painting", None)
        if not self._wanted or draw is None:
            return _nothing
        finish: Callable[[str], Painting] = draw()

        def keep() -> None:
            self._album.keep(finish(self._key))

        return keep


def _nothing() -> None:
    """There is nothing to keep."""


def _key(settings: Settings, view: str | None, capabilities: Capabilities, light: bool) -> str:
    """All that the painting depends on; of the URL, which may hold a password, only enough to tell it from others."""
    sheets = [*_SHEETS, Path(settings.style)] if settings.style else _SHEETS
    return repr(
        (
            (__version__, view),
            (settings.environment, zlib.crc32((settings.url or "").encode()), settings.app),
            (settings.read_only, settings.protected, settings.role, sorted(settings.keys.items())),
            [path.stat().st_mtime_ns for path in sheets if path.is_file()],
            (capabilities, settings.ascii, light, bool(os.environ.get("NO_COLOR"))),
            tuple(os.get_terminal_size(1)),
        )
    )
