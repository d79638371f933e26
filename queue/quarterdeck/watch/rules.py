"""Alert rules: what must hold for how long before somebody is told.

In `quarterdeck.toml`:

    [[watch.rules]]
    name = "emails back up"
    queue = "emails"
    when = "oldest_s > 120"
    for_s = 60

`when` compares one figure of a queue with a number: depth, active, scheduled, failed, oldest_s, failure_rate, p95_ms,
workers, orphans. Without rules of one's own, the verdict itself is the rule: bad for a minute.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from quarterdeck.errors import SettingsError
from quarterdeck.model import Level, QueueStat, Snapshot
from quarterdeck.settings import nearest

FIGURES: Final[dict[str, Callable[[QueueStat], float | None]]] = {
    "depth": lambda queue: queue.depth,
    "active": lambda queue: queue.active,
    "scheduled": lambda queue: queue.scheduled,
    "failed": lambda queue: queue.failed,
    "oldest_s": lambda queue: None if queue.oldest_ms is None else queue.oldest_ms / 1000,
    "failure_rate": lambda queue: queue.failure_rate,
    "p95_ms": lambda queue: queue.p95_ms,
    "workers": lambda queue: queue.workers,
    "orphans": lambda queue: queue.orphans,
}
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}
_WHEN: Final = re.compile(r"\s*(\w+)\s*(>=|<=|==|>|<)\s*([\d.]+)\s*")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. `queue` None: any queue. `when` empty: the verdict is bad."""

    name: str
    when: str = ""
    queue: str | None = None
    for_s: float = 60


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that began or ceased to hold."""

    rule: str
    firing: bool
    text: str
    since_ms: int
    at_ms: int


DEFAULT: Final = (Rule(name="verdict"),)


def rules_of(table: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules in the settings' `[watch]`. Raises SettingsError that names the rule and what is wrong with it."""
    found = []
    for number, item in enumerate(table.get("rules", ()), 1):
        try:
            rule = msgspec.convert(item, Rule)
        except msgspec.ValidationError as error:
            unknown = [key for key in item if key not in Rule.__struct_fields__]
            cure = nearest(unknown[0], Rule.__struct_fields__) if unknown else ""
            raise SettingsError(f"Rule {number} of [[watch.rules]] can't be read: {error}.", cure) from error
        if rule.when:
            _parse(rule)
        found.append(rule)
    return tuple(found) or DEFAULT


class Watcher:
    """Remembers since when each rule holds, and says when one begins or ceases to fire."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._since: dict[str, int] = {}
        self._firing: set[str] = set()

    def look(self, snapshot: Snapshot) -> tuple[Alert, ...]:
        """The alerts that a snapshot gives rise to."""
        alerts = []
        for rule in self._rules:
            held = _holds(rule, snapshot)
            if held:
                since = self._since.setdefault(rule.name, snapshot.taken_ms)
                if rule.name not in self._firing and snapshot.taken_ms - since >= rule.for_s * 1000:
                    self._firing.add(rule.name)
                    alerts.append(_alert(rule, snapshot, held, since, firing=True))
            else:
                since = self._since.pop(rule.name, snapshot.taken_ms)
                if rule.name in self._firing:
                    self._firing.discard(rule.name)
                    alerts.append(_alert(rule, snapshot, "no longer holds", since, firing=False))
        return tuple(alerts)


def _alert(rule: Rule, snapshot: Snapshot, text: str, since_ms: int, *, firing: bool) -> Alert:
    return Alert(rule=rule.name, firing=firing, text=text, since_ms=since_ms, at_ms=snapshot.taken_ms)


def _holds(rule: Rule, snapshot: Snapshot) -> str:
    """Why the rule holds, in words, or an empty string."""
    if not rule.when:
        return snapshot.verdict.headline if snapshot.verdict.level is Level.BAD else ""
    figure, sign, bound = _parse(rule)
    for queue in snapshot.queues:
        value = FIGURES[figure](queue)
        if rule.queue in (None, queue.name) and value is not None and _COMPARE[sign](value, bound):
            return f"{queue.name}: {figure} is {value:g} ({sign} {bound:g})"
    return ""


def _parse(rule: Rule) -> tuple[str, str, float]:
    match = _WHEN.fullmatch(rule.when)
    if match is None or match[1] not in FIGURES:
        raise SettingsError(
            f"The rule '{rule.name}' of [[watch.rules]] has when = \"{rule.when}\", which can't be read.",
            f"Write FIGURE > NUMBER with one of {', '.join(FIGURES)}.",
        )
    return match[1], match[2], float(match[3])
