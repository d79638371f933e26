"""What a start leaves on the quay: modules that are imported for the sake of others and never used here.

Most of a start is importing, and rows wait for it. Two parts of it are for things that this program does not have: the
connection by TLS where the server is reached without, and Textual's command palette, which brings four widgets along.
Both were a sixth of what is imported before the first rows. Nothing is changed in the modules themselves: whoever
imports one of these later gets the real one.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

_PLAIN: Final = ("unix://", "redis://")
_PALETTE: Final = "textual.command"


def needs_tls(url: str | None) -> bool:
    """Whether a connection to `url` may be encrypted; None is the embedded server, which has a socket of its own."""
    return url is not None and (not url.startswith(_PLAIN) or "ssl" in url.lower())


def load_asyncio(*, tls: bool) -> None:
    """Import asyncio, without `ssl` where no connection needs it: asyncio does without where Python was built so."""
    if tls or "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]  # what is None can't be imported
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]


def load_textual() -> None:
    """Import Textual's app without the command palette, which the deck has turned off."""
    if _PALETTE in sys.modules or "textual.app" in sys.modules:
        return
    sys.modules[_PALETTE] = _Names(_PALETTE)
    try:
        import textual.app  # noqa: F401
    finally:
        del sys.modules[_PALETTE]


class _Names(ModuleType):
    """A module in which every name is an empty class: enough for annotations and for the bases of what is not used."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
