"""From things to the views that open them, and from words on the command line to views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from quarterdeck.errors import UsageError
from quarterdeck.model import (
    BinRow,
    FailureGroup,
    JobRow,
    JobState,
    LogRow,
    QuarantineRow,
    QueueStat,
    RunRow,
    ScheduleRow,
    Screen,
    View,
    WorkerRow,
)

if TYPE_CHECKING:
    from tui.screens.deckscreen import Target

THINGS: Final = frozenset({Screen.JOB, Screen.GROUP, Screen.QUEUE, Screen.SCHEDULE, Screen.WORKER})
"""Screens that show one thing, by its name."""


def view_of(target: Target) -> View | None:  # noqa: PLR0911  (one for each kind of thing)
    """The view that shows this thing whole, or None where there is no more to it than its row."""
    match target:
        case JobRow() | QuarantineRow():
            return View(screen=Screen.JOB, queue=target.queue, subject=target.key)
        case FailureGroup():
            return View(screen=Screen.GROUP, queue=target.queue, subject=target.signature, state=JobState.FAILED)
        case QueueStat():
            return View(screen=Screen.QUEUE, queue=target.name, subject=target.name)
        case ScheduleRow():
            return View(screen=Screen.SCHEDULE, queue=target.queue, subject=target.name)
        case WorkerRow():
            return View(screen=Screen.WORKER, queue=target.queues[0] if target.queues else None, subject=target.id)
        case RunRow() if target.job_key:
            return View(screen=Screen.JOB, queue=target.queue, subject=target.job_key)
        case LogRow() if target.key:
            return View(screen=Screen.JOB, subject=target.key)
        case BinRow():
            return View(screen=Screen.JOB, queue=target.queue, subject=target.key)
    return None


def read_place(view: View, words: str) -> View:
    """`view` with what was typed after its name: `@queue`, a job's state, a subject for things, the rest a filter.

    Raises UsageError for a filter that can't be read.
    """
    rest: list[str] = []
    for word in words.split():
        if word.startswith("@") and len(word) > 1:
            view = replace(view, queue=word[1:])
        elif view.screen is Screen.JOBS and word in set(JobState):
            view = replace(view, state=JobState(word))
        else:
            rest.append(word)
    if view.screen in THINGS:
        named = view.queue if view.screen is Screen.QUEUE else None
        return replace(view, subject=" ".join(rest) or named)
    if not rest:
        return view
    from quarterdeck.inspect.filter import parse_filter

    return replace(view, filter=parse_filter(" ".join(rest)).text)


def view_opened(line: str | None) -> View:
    """The view to open with: what `--view` names, else the overview. Raises UsageError."""
    return view_named(line) if line else View()


def view_named(line: str) -> View:
    """The view that a line such as `:failures @emails` names, for `--view`. Raises UsageError."""
    word, _, words = line.strip().lstrip(":").partition(" ")
    if word not in set(Screen):
        known = ", ".join(screen for screen in Screen)
        raise UsageError(f"There is no view '{word[:40]}'.", f"There are {known}.")
    view = read_place(View(screen=Screen(word)), words)
    if view.screen in THINGS and view.subject is None:
        raise UsageError(f"The view '{word}' is of one {word}: it needs a name.", f"For instance '{word} NAME'.")
    return view
