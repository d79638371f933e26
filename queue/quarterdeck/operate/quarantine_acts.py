"""Acts on the quarantine: rules that set jobs aside, and lifting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.model import Outcome
from quarterdeck.operate import quarantine, unreadable
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.quarantine import Rule
from quarterdeck.operate.queues import server_ms
from quarterdeck.text import count_of, mask


class QuarantineActs(Bridge):
    """The acts of `model.Operator` that concern the quarantine."""

    async def quarantine(
        self, queue: str, *, function: str, argument: str = "", error: str = "", reason: str = ""
    ) -> Outcome:
        """Set aside the jobs that match, present and future, until the rule is lifted."""
        self._guard.require("quarantine")
        name = self._audit.new_act()
        now_ms = await server_ms(self._client)
        rule = Rule(function=function, argument=argument, error=error, owner=self.who, reason=reason, at_ms=now_ms)
        held = await quarantine.make(self._client, queue, name, rule)
        line = self._echo.line(
            "quarantine", "add", queue=queue, function=function, argument=argument, error=error, reason=reason
        )
        message = f"Quarantined {function}: {count_of(held, 'waiting job')} set aside, and those that come."
        return await self._done("quarantine", function, message, queue=queue, reason=reason, command=line, key=name)

    async def lift_quarantine(self, queue: str, rule: str, *, release: bool = True) -> Outcome:
        """Lift a rule; the jobs it holds are released, or deleted into the recycle bin."""
        self._guard.require("quarantine" if release else "delete")
        act = self._audit.new_act()
        counts = await quarantine.lift(self._client, queue, rule, release=release, who=self.who, act=act)
        if counts is None:
            raise RefusedError(f"The queue '{queue}' has no rule '{rule}'.")
        done = counts["ok"] if release else sum(counts.values())
        skips = Counter({word: count for word, count in counts.items() if release and word != "ok"})
        line = self._echo.line("quarantine", "release" if release else "delete", rule, queue=queue)
        word = "released" if release else "deleted"
        message = f"Lifted the rule: {count_of(done, 'job')} {word}."
        return await self._done("lift-quarantine", rule, message, queue=queue, done=done, skips=skips, command=line)

    async def delete_unreadable(self, queue: str, entries: Sequence[str] = (), *, reason: str = "") -> Outcome:
        """Move what can't be read, or only what `entries` name, from the quarantine into the recycle bin."""
        self._guard.require("delete")
        act = self._audit.new_act()
        found = await unreadable.found_in(self._client, queue, entries)
        counts = await unreadable.put_into_bin(self._client, queue, found, who=self.who, act=act)
        done = counts.pop("ok", 0)
        skips = counts + Counter({"is gone": len(set(entries)) - len(found)} if len(set(entries)) > len(found) else {})
        line = self._echo.line("quarantine", "drop", *entries[:20], queue=queue, reason=reason)
        message = f"Deleted {count_of(done, 'unreadable payload')}." if done else "There is nothing unreadable there."
        named = [entry.removeprefix(keys_of(queue).job("")) for entry in entries]
        subject = named[0] if len(named) == 1 else count_of(done, "unreadable payload")
        undo = UndoRecord(kind="bin", queue=queue, who=self.who, data={"act": act}) if done else None
        return await self._done(
            "delete", subject, message, queue=queue, reason=reason, done=done, skips=skips, command=line, undo=undo,
            act=act,
        )  # fmt: skip

    async def put_back(
        self, queue: str, entry: str, payload: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Outcome:
        """Put something unreadable back into the queue, as it is or as the job fields in `payload`."""
        self._guard.require("release")
        found = await unreadable.found_in(self._client, queue, [entry])
        if not found:
            raise RefusedError(f"There is nothing unreadable called '{entry}' in the queue '{queue}'.")
        field, raw = next(iter(found.items()))
        now_ms = await server_ms(self._client)
        key, answer = await unreadable.put_back(self._client, queue, field, raw, payload, now_ms=now_ms)
        if answer != "ok":
            why = "a job of that key is there already" if answer == "queued" else "it changed meanwhile"
            raise RefusedError(f"It was not put back: {why}.")
        given = None if payload is None else msgspec.json.encode(mask(payload)).decode()
        line = self._echo.line("quarantine", "put-back", entry, queue=queue, payload=given, reason=reason)
        return await self._done(
            "put-back", key, f"Put {key} back into the queue.", queue=queue, reason=reason, command=line, key=key
        )
