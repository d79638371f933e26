"""What the terminal at the other end can do, read from the environment alone.

Nothing is asked over the line here: it costs a round trip, and many terminals do not answer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

ESCAPE_MS = 100
SSH_ESCAPE_MS = 500
"""How long a lone ESC may be the beginning of a sequence whose rest is on its way."""

_DUMB = ("", "dumb", "unknown", "cons25", "emacs")
_ERASES_IN_COLOUR = ("xterm", "tmux", "rxvt", "alacritty", "kitty", "foot", "wezterm", "ghostty", "vte", "konsole")


class ColourDepth(IntEnum):
    """How many colours may be sent."""

    NONE = 0
    SIXTEEN = 16
    PALETTE = 256
    TRUE = 1 << 24


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The terminal as its environment describes it."""

    term: str
    """``TERM``, lower case."""
    dumb: bool
    """It can't place a cursor: the plain ``status --watch`` is for it."""
    ssh: bool
    """The session came in over SSH, so the line may be slow and the mouse belongs to the user's terminal."""
    tmux: bool
    screen: bool
    """GNU screen is between us and the terminal."""
    colours: ColourDepth
    ascii: bool
    """The locale can't show more than ASCII."""
    erases_in_colour: bool
    """Erasing fills with the current background (terminfo ``bce``)."""
    escape_ms: int
    """``ESCDELAY``, or longer over SSH than on this machine."""


def detect(environ: Mapping[str, str] | None = None) -> Capabilities:
    """Describe the terminal from ``environ`` (the process's own by default); never raises."""
    env = os.environ if environ is None else environ
    term = env.get("TERM", "").lower()
    return Capabilities(
        term=term,
        dumb=is_dumb(env),
        ssh=_over_ssh(env),
        tmux=bool(env.get("TMUX")) or term.startswith("tmux"),
        screen=bool(env.get("STY")) and not env.get("TMUX"),
        colours=_colours(env, term),
        ascii=_ascii_only(env),
        erases_in_colour=term.startswith(_ERASES_IN_COLOUR),
        escape_ms=_escape_ms(env),
    )


def is_dumb(environ: Mapping[str, str] | None = None) -> bool:
    """True when ``TERM`` names a terminal that has no cursor addressing, or none at all."""
    env = os.environ if environ is None else environ
    term = env.get("TERM", "").lower()
    return term in _DUMB or term.startswith("dumb")


def raise_escape_delay(environ: MutableMapping[str, str] | None = None) -> None:
    """Over SSH, let Textual's own driver wait longer for the rest of a split escape sequence.

    Textual reads ``ESCDELAY`` (milliseconds) when it is imported, so this comes before. What the user has set stays.
    """
    env = os.environ if environ is None else environ
    if _over_ssh(env):
        env.setdefault("ESCDELAY", str(SSH_ESCAPE_MS))


def _over_ssh(env: Mapping[str, str]) -> bool:
    return any(env.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def _colours(env: Mapping[str, str], term: str) -> ColourDepth:
    """``NO_COLOR`` (https://no-color.org: any non-empty value), then ``COLORTERM``, then ``TERM``."""
    if env.get("NO_COLOR") or is_dumb(env) or term.startswith("vt"):
        return ColourDepth.NONE
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        # GNU screen before 5.0 reads 38;2 wrongly, whatever the outer terminal exported.
        return ColourDepth.PALETTE if term.startswith("screen") and not env.get("TMUX") else ColourDepth.TRUE
    if term.startswith(("xterm-kitty", "alacritty", "foot", "ghostty", "xterm-ghostty", "wezterm")):
        return ColourDepth.TRUE
    if "256color" in term:
        return ColourDepth.PALETTE
    return ColourDepth.SIXTEEN


def _ascii_only(env: Mapping[str, str]) -> bool:
    """The first of ``LC_ALL``, ``LC_CTYPE`` and ``LANG`` that is set decides; none set counts as UTF-8."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := env.get(name):
            # Python itself treats C and POSIX as UTF-8 (PEP 538, 540), and most terminals are.
            folded = value.lower().replace("-", "")
            return "." in folded and "utf8" not in folded
    return False


def _escape_ms(env: Mapping[str, str]) -> int:
    given = env.get("ESCDELAY", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return SSH_ESCAPE_MS if _over_ssh(env) else ESCAPE_MS
