"""An act as a command line, ready for a runbook."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from quarterdeck.model import JobState, Pace, Selection, Verb
from quarterdeck.text import mask, mask_text

_WORDS: Final = {Verb.RETRY: "retry", Verb.ABORT: "abort", Verb.DELETE: "delete", Verb.RUN_NOW: "retry"}
"""The command of each act on jobs. What is brought back from the recycle bin has none: there it is an undo."""


class CommandEcho:
    """Writes acts as `quarterdeck …` lines; `address` is what reaches the environment, without secrets.

    The lines go to the audit and to everybody's screen, so secrets in arguments, filters and reasons are masked.
    """

    def __init__(self, address: str = "") -> None:
        self._head = f"quarterdeck {address}".strip()

    def line(self, *words: str, **options: str | float | None) -> str:
        """`quarterdeck WORDS --option value …`; options that are None or empty are left out."""
        parts = [self._head, *(shlex.quote(mask_text(word)) for word in words)]
        for name, value in options.items():
            if value is None or value == "":
                continue
            parts.append(f"--{name.replace('_', '-')} {shlex.quote(mask_text(_plain(value)))}")
        return " ".join(parts)

    def of_selection(self, verb: Verb, selection: Selection, *, reason: str, pace: Pace | None) -> str:
        """An act on jobs: by their keys when few are named, else by the query. Empty where no command does it."""
        if verb not in _WORDS:
            return ""
        keys = [ref.key for ref in selection.refs]
        queues = {ref.queue for ref in selection.refs}
        shown = keys[:20]
        line = self.line(
            _WORDS[verb],
            *shown,
            queue=selection.queue or (queues.pop() if len(queues) == 1 else None),
            state=JobState.SCHEDULED.value if verb is Verb.RUN_NOW else selection.state and selection.state.value,
            signature=selection.signature,
            function=selection.function,
            filter=selection.filter,
            pace=pace.mode if pace and pace.mode != "all" else None,
            per_s=pace.per_s if pace and pace.per_s else None,
            reason=reason,
        )
        if not (keys or selection.signature or selection.function or selection.filter):
            line += " --all"
        rest = len(keys) - len(shown)
        return line + (f"  # and {rest} more" if rest else "")

    def of_enqueue(self, queue: str, function: str, arguments: Mapping[str, Any], **options: str | float | None) -> str:
        """Enqueuing a job."""
        pairs = [f"{name}={msgspec.json.encode(value).decode()}" for name, value in mask(arguments).items()]
        return self.line("enqueue", function, *pairs, queue=queue, **options)


def _plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
