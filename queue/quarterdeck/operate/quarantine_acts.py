"""Acts on the quarantine: rules that set jobs aside, and lifting them."""

from __future__ import annotations

from collections import Counter

from quarterdeck.errors import RefusedError
from quarterdeck.model import Outcome
from quarterdeck.operate import quarantine
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.quarantine import Rule
from quarterdeck.operate.queues import server_ms


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
        message = f"Quarantined {function}: {held} waiting jobs set aside, and those that come."
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
        message = f"Lifted the rule: {done} jobs {word}."
        return await self._done("lift-quarantine", rule, message, queue=queue, done=done, skips=skips, command=line)
