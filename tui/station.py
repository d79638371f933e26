"""Where the officer of the watch stands: the environment, what is allowed there, and how its two seams are opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.model import Operator, Snapshot, Source, View
from tui.widgets.clock import DeckClock

if TYPE_CHECKING:
    from tui.firstsight import FirstSight


class Right(IntEnum):
    """What an operator may do here; each right holds those below it (roles of the settings file, by name)."""

    VIEW = 0
    RETRY = 1
    OPERATE = 2
    ADMIN = 3


def local_zone() -> tzinfo:
    """The viewer's time zone, for painting clock times."""
    return datetime.now(UTC).astimezone().tzinfo or UTC


@dataclass(frozen=True, kw_only=True)
class Station:
    """One environment as the dashboard needs to know it.

    `open_source` and `open_operator` are awaited after the first painting, so that whatever they import costs nothing
    before it; both may raise QuarterdeckError, and are then tried again.
    """

    open_source: Callable[[], Awaitable[Source]]
    open_operator: Callable[[], Awaitable[Operator]]
    first_sight: FirstSight | None = None
    """Keeps the first painting for the next start."""
    first_look: Callable[[], Awaitable[Snapshot | None]] | None = None
    """Awaited before the source is opened: what was seen meanwhile, or None."""
    close: Callable[[], Awaitable[None]] | None = None
    """Awaited when the dashboard has closed both."""
    news: Callable[[], list[str]] | None = None
    """Asked now and then for sentences that the operator should read (the embedded server was recovered, say)."""
    waits_for: Callable[[], str] | None = None
    """Asked while nothing was read yet: what the start waits for, in a few words; empty where it is not known."""
    name: str = "demo"
    """The environment's name, in the footer and on every confirmation."""
    right: Right = Right.ADMIN
    read_only: bool = False
    protected: bool = False
    """Production, say: whatever concerns many jobs must be typed, not only chosen."""
    confirm_above: int = 100
    """From how many jobs on the count must be typed before an act on them."""
    who: str = ""
    """The operator's name, as the audit has it; empty for the login name."""
    operator_id: str = "me"
    """What the ids of this dashboard's own entry among the operators begins with."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Command id → keys, from the settings file."""
    styles: tuple[Path, ...] = ()
    """Stylesheets of this environment, after the dashboard's own."""
    ascii: bool = False
    theme: str = ""
    """Name of the Textual theme, or empty for the dashboard's own."""
    refresh_s: float = 1.0
    first: View = field(default_factory=View)
    """What to open with."""
    clock: DeckClock = field(default_factory=DeckClock)
    """The server's clock as far as it is known."""
    zone: tzinfo = field(default_factory=local_zone)
    """The viewer's time zone."""
    notes: Path = field(default_factory=Path.cwd)
    """Directory that incident notes and saved logs go to."""
    embedded: bool = False
    """Whether the server is our own, started with the first dashboard."""
    brings_worker: bool = False
    """Whether a worker is started with it."""
    demo: bool = False
    """Whether the embedded demo's traffic can be turned up and off."""

    @property
    def rights(self) -> Right:
        """What may be done, read-only mode taken into account."""
        return Right.VIEW if self.read_only else self.right

    def allows(self, right: Right) -> bool:
        """Whether an act that needs `right` may be done here."""
        return self.rights >= right
