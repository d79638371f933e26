"""One key at a time, so that a key meets the screen that the key before it made."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

_PATIENCE_S: Final = 0.25
"""How long a widget is waited for; one that is being removed never answers."""

_LULL_S: Final = 0.03
"""How long a key that came alone is left to itself: what it did is painted before anything is waited for."""

_ROUNDS: Final = 3
"""A command runs in a worker, which opens a prompt, which takes the focus: each is one round later."""


class Turnstile:
    """Holds keys back until the one before has done what it does.

    Textual hands each key to whatever has the focus when it is read, and acts on it later. On a bad line keys arrive
    in one piece: of `:pause`, typed ahead, the colon would open the command line and the letters after it would
    still reach the list beneath, where they are commands. Call `holds` first thing in the app's `on_event`:

        async def on_event(self, event):
            if not self.turnstile.holds(event):
                await super().on_event(event)

    A key that comes alone is not delayed.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn: events.Key | events.Paste | None = None
        self._busy = False
        self._target: DOMNode | None = None
        self._lull: asyncio.TimerHandle | None = None

    def holds(self, event: events.Event) -> bool:
        """Whether an event must wait; it comes again when it is its turn. Only what is typed or pasted ever waits."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            return False
        if self._busy and event is not self._turn:
            self._waiting.append(event)
            self._look_now()
            return True
        self._busy, self._turn, self._target = True, None, self._app.focused
        self._lull = asyncio.get_running_loop().call_later(_LULL_S, self._look)
        if self._waiting:
            self._look_now()
        return False

    def _look_now(self) -> None:
        """Another key waits: do not wait for the lull."""
        if self._lull is not None:
            self._lull.cancel()
            self._look()

    def _look(self) -> None:
        """Begin to wait for what the key does."""
        self._lull = None
        if self._app.is_running:
            self._app.run_worker(self._settle(self._target), group="turnstile")

    async def _settle(self, target: DOMNode | None) -> None:
        """Wait until the key that was let through is done with, then let the next one come."""
        try:
            await self._answered(self._app)
            await self._bubbled(target)
            for _ in range(_ROUNDS):
                await self._bubbled(self._app.focused)
        finally:
            self._busy = False
            if self._waiting:
                self._busy, self._turn = True, self._waiting.popleft()
                self._app.post_message(self._turn)

    async def _bubbled(self, target: DOMNode | None) -> None:
        """Wait for a widget, and all that is above it, to have done what they were asked before now."""
        node: DOMNode | None = target or self._app.screen
        while node is not None:
            await self._answered(node)
            node = node.parent
        await self._answered(self._app)

    async def _answered(self, pump: MessagePump) -> None:
        """Wait for one widget to come to the end of its queue; not for long where it has gone away."""
        done = asyncio.Event()
        if pump.is_running and pump.call_later(done.set):
            try:
                await asyncio.wait_for(done.wait(), _PATIENCE_S)
            except TimeoutError:
                return
