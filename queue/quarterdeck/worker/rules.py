"""Rules that set jobs aside while the queue flows on, as operators wrote them (`qd:rules:Q`)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from saq.job import Job

from quarterdeck.record import argument_holds, arguments_text, error_line

logger = logging.getLogger("quarterdeck.worker")


class Rule(msgspec.Struct, frozen=True):
    """Jobs of `function` whose row in a list would show `argument` in its arguments (`record.argument_holds`) and
    `error` in its last error. Empty parts match all.
    """

    id: str = ""
    function: str = ""
    argument: str = ""
    error: str = ""
    reason: str = ""


class Rules:
    """The rules of a worker's queues, as the last beat told them."""

    def __init__(self) -> None:
        self._of: dict[str, list[Rule]] = {}
        self._seen: Sequence[tuple[bytes, ...]] = ()

    def learn(self, told: Sequence[tuple[bytes, ...]]) -> None:
        """What a beat brought: (queue, rule id, record)."""
        if told == self._seen:
            return
        self._seen = told
        self._of = {}
        for queue, rule_id, record in told:
            try:
                rule = msgspec.json.decode(record, type=Rule)
            except (msgspec.DecodeError, UnicodeDecodeError):
                logger.warning("the rule %r of %r can't be read", rule_id, queue)
                continue
            rule = msgspec.structs.replace(rule, id=rule_id.decode("utf-8", "replace"))
            if rule.function or rule.argument or rule.error:
                self._of.setdefault(queue.decode("utf-8", "replace"), []).append(rule)

    def of(self, queue: str) -> list[Rule]:
        """The rules of a queue."""
        return self._of.get(queue, [])

    def match(self, job: Job) -> Rule | None:
        """The first rule that sets a job aside, or None."""
        rules = self._of.get(job.queue.name) if self._of and job.queue is not None else None
        if not rules:
            return None
        arguments = ""
        for rule in rules:
            if rule.function and rule.function != job.function:
                continue
            if rule.error and rule.error not in error_line(job.error):
                continue
            if rule.argument:
                arguments = arguments or arguments_text(job.kwargs)
                if not argument_holds(arguments, rule.argument):
                    continue
            return rule
        return None
