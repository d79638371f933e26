"""Notes, presence, undo: what keeps operators together."""

from __future__ import annotations

from quarterdeck import keys
from quarterdeck.errors import RefusedError
from quarterdeck.model import Outcome
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.undo import act_of, take_back

TRAFFIC = ("off", "low", "normal", "high")


class FeedActs(Bridge):
    """The acts of `model.Operator` that concern the operators themselves."""

    async def undo(self, act: str = "") -> Outcome:
        """Undo an act by its id, or one's own newest that can be undone; the role must allow what that amounts to."""
        self._guard.require("undo")
        undo = act or await self._audit.newest_undo()
        if undo and (found := await self._audit.undo_record(undo)) is not None:
            self._guard.require(act_of(found))
        record = await self._audit.take_undo(undo) if undo else None
        if record is None:
            raise RefusedError("There is nothing to undo.", "Acts can be undone once, for a day.")
        counts = await take_back(self._client, record)
        done = counts.pop("ok", 0)
        names = {"started": "had started", "gone": "is no longer in the bin", "queued": "the same key is queued"}
        skips = type(counts)({names.get(word, word): count for word, count in counts.items()})
        message = f"Undone: {done} taken back." if done else "Nothing could be taken back."
        if skips:
            message += " " + ", ".join(f"{count} {name}" for name, count in skips.items()) + "."
        line = self._echo.line("undo", undo)
        return await self._done("undo", undo, message, queue=record.queue, done=done, skips=skips, command=line)

    async def note(self, text: str) -> Outcome:
        """Add a line to the audit."""
        self._guard.require("note")
        return await self._done("note", text, "Noted.", command=self._echo.line("note", text))

    async def present(self, screen: str) -> None:
        """Say that this operator is here; never audited. Read-only dashboards write nothing at all."""
        if not self._guard.read_only:
            await self._presence.beat(screen)

    async def traffic(self, command: str) -> Outcome:
        """Demo only: up, down or off, or a level by its name."""
        self._guard.require("traffic")
        raw = await self._client.get(keys.TRAFFIC)
        now = raw.decode() if raw and raw.decode() in TRAFFIC else "normal"
        at = TRAFFIC.index(now)
        moved = {"up": min(at + 1, len(TRAFFIC) - 1), "down": max(at - 1, 0)}.get(command)
        level = TRAFFIC[moved] if moved is not None else command
        if level not in TRAFFIC:
            raise RefusedError(f"There is no traffic level '{command}'.", f"Use up, down, {', '.join(TRAFFIC)}.")
        await self._client.set(keys.TRAFFIC, level)
        return await self._done("traffic", level, f"The demo's traffic is {level}.", command=f":traffic {level}")
