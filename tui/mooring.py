"""Where the dashboard is tied up: the embedded server, attached when first needed, or the server of a URL."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.errors import UsageError
from quarterdeck.model import Operator, Snapshot, Source, View
from tui.station import Right, Station

if TYPE_CHECKING:
    from quarterdeck.broker.embedded import EmbeddedServer
    from quarterdeck.settings import Settings
    from tui.firstsight import FirstSight
    from tui.lookout import Lookout

_HERE = Path(__file__).parent


class Mooring:
    """Opens what `settings` lead to; nothing is imported or connected before one of the two seams is asked for."""

    def __init__(self, settings: Settings, lookout: Lookout | None = None, sight: FirstSight | None = None) -> None:
        self.settings = settings
        self.sight = sight
        self._lookout = lookout
        self._stack = AsyncExitStack()
        self._embedded: EmbeddedServer | None = None
        self._opening: EmbeddedServer | None = None
        self._attaching = asyncio.Lock()
        self._told = 0
        self._trouble = ""

    async def first_look(self) -> Snapshot | None:
        """What the lookout saw while the screen was made; None without one. Raises QuarterdeckError.

        First the embedded server is attached: it may have to be started before there is anything to see, and what is
        shown of one that runs must not end because another dashboard, the last one that held it, is left.
        """
        if self._lookout is None:
            return None
        await self._url()
        return await self._lookout.report()

    async def open_source(self) -> Source:
        """The seam to read. Raises QuarterdeckError."""
        url = await self._url()
        await _load("quarterdeck.broker.connection", "quarterdeck.schedule.reading", "quarterdeck.inspect")
        from quarterdeck.inspect import open_source

        # A read-only dashboard writes nothing at all, not even what stock workers would let go.
        return await open_source(url, queues=self.settings.queues, record=not self.settings.read_only)

    async def open_operator(self) -> Operator:
        """The seam to act. Raises QuarterdeckError."""
        url = await self._url()
        await _load("quarterdeck.operate")
        from quarterdeck.cli.acting import address_flags
        from quarterdeck.operate import open_operator

        return await open_operator(
            url,
            role=self.settings.role,
            read_only=self.settings.read_only,
            queues=self.settings.queues,
            address=address_flags(self.settings),
        )

    async def close(self) -> None:
        """Let go; the last one out ends the embedded server. Legal at any time, any number of times."""
        if self._lookout is not None:
            self._lookout.close()
        await self._stack.aclose()
        self._embedded = None

    def news(self) -> list[str]:
        """Sentences about the embedded server that were not told yet."""
        if self._embedded is None:
            return []
        notes = self._embedded.notes[self._told :]
        self._told = len(self._embedded.notes)
        trouble = self._embedded.worker_trouble()
        if trouble and trouble != self._trouble:
            notes = [*notes, f"The worker ended and is started again: {trouble}"]
        self._trouble = trouble
        return notes

    def waits_for(self) -> str:
        """What the start waits for now where that may take seconds, or an empty text."""
        return self._opening.waits_for if self._opening is not None else ""

    def _watch_opening(self, server: EmbeddedServer) -> None:
        self._opening = server

    async def _url(self) -> str:
        if self.settings.url is not None:
            return self.settings.url
        async with self._attaching:
            if self._embedded is None:
                from quarterdeck.broker.embedded import embedded

                server = embedded(
                    data_dir=self.settings.data_dir, target=self.settings.app, opening=self._watch_opening
                )
                self._embedded = await self._stack.enter_async_context(server)
            return self._embedded.url


async def _load(*modules: str) -> None:
    """Import, and let keys through in between: all at once it would be a fifth of a second.

    Not in a thread: what a key imports meanwhile would wait for modules of this one, and this one for those.
    """
    for name in modules:
        import_module(name)
        await asyncio.sleep(0)


def station_of(settings: Settings, mooring: Mooring, first: View | None = None, theme: str = "") -> Station:
    """The station that the settings describe.

    Raises UsageError for a stylesheet that is not there, and for a key of a command that does not exist.
    """
    from tui.remapping import remapped

    demo = settings.url is None and settings.environment == "demo"
    return Station(
        open_source=mooring.open_source,
        open_operator=mooring.open_operator,
        first_look=mooring.first_look,
        first_sight=mooring.sight,
        close=mooring.close,
        news=mooring.news,
        waits_for=mooring.waits_for,
        name=settings.environment or _name_of(settings.url or ""),
        right=Right[settings.role.upper()],
        read_only=settings.read_only,
        protected=settings.protected,
        confirm_above=settings.confirm_above,
        who=os.environ.get("QUARTERDECK_USER", ""),
        operator_id=f"{socket.gethostname()}:{os.getpid()}:",
        keys=remapped(settings),
        styles=tuple(styles_of(settings, demo)),
        ascii=settings.ascii,
        theme=theme,
        refresh_s=settings.refresh_s,
        first=first or View(),
        embedded=settings.url is None,
        brings_worker=settings.url is None and settings.app is not None,
        demo=demo,
    )


def styles_of(settings: Settings, demo: bool) -> list[Path]:
    """The stylesheets after the dashboard's own: the demo's, or the one that was named."""
    if settings.style:
        path = Path(settings.style)
        if not path.is_file():
            raise UsageError(f"There is no stylesheet {path}.", "Name a file with --style, or leave it out.")
        return [path]
    if not demo:
        return []
    # In a wheel it lies inside the package, in a checkout beside it.
    places = (_HERE / "demo.tcss", _HERE.parent / "demo.tcss")
    return [path for path in places if path.is_file()][:1]


def _name_of(url: str) -> str:
    """The place that a URL names, without user and password."""
    place = url.partition("://")[2].rpartition("@")[2]
    return place.partition("?")[0].strip("/") or url.partition("://")[0]
