"""Going to a screen: by number, or by name on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from quarterdeck.model import Screen, View
from tui.commands.command import Command
from tui.screens.places import read_place

if TYPE_CHECKING:
    from tui.app import Deck


class GoTo(Command):
    """The base of the commands that go to a screen."""

    screen: ClassVar[Screen]
    usage = "[@queue] [filter]"

    async def run(self, deck: Deck, words: str) -> None:
        """Go there as it was left, or as the words say."""
        if words:
            await deck.go(read_place(View(screen=self.screen), words))
        else:
            await deck.go(deck.left(self.screen))


class GoToOverview(GoTo):
    """Overview: what is wrong, since when, how much."""

    id, keys, verbs, screen, usage = "go.overview", "1", ("overview", "over"), Screen.OVERVIEW, ""


class GoToQueues(GoTo):
    """Queues: depth, age, rates, percentiles, pauses."""

    id, keys, verbs, screen = "go.queues", "2", ("queues",), Screen.QUEUES


class GoToJobs(GoTo):
    """Jobs, by state."""

    id, keys, verbs, screen = "go.jobs", "3", ("jobs",), Screen.JOBS
    usage = "[@queue] [queued|active|scheduled|failed|aborted|complete] [filter]"


class GoToFailures(GoTo):
    """Failures, grouped by what broke."""

    id, keys, verbs, screen = "go.failures", "4", ("failures", "fail"), Screen.FAILURES


class GoToSchedules(GoTo):
    """Schedules: next fires, last runs, what was missed."""

    id, keys, verbs, screen = "go.schedules", "5", ("schedules", "sched"), Screen.SCHEDULES


class GoToWorkers(GoTo):
    """Workers: slots, current jobs, beats, versions."""

    id, keys, verbs, screen = "go.workers", "6", ("workers",), Screen.WORKERS


class GoToLogs(GoTo):
    """Logs of all jobs, live."""

    id, keys, verbs, screen = "go.logs", "7", ("logs",), Screen.LOGS


class GoToMetrics(GoTo):
    """Metrics by function: counts, rates, percentiles."""

    id, keys, verbs, screen = "go.metrics", "8", ("metrics",), Screen.METRICS


class GoToAudit(GoTo):
    """Audit: who did what, from where and why."""

    id, keys, verbs, screen = "go.audit", "9", ("audit",), Screen.AUDIT


class GoToBin(GoTo):
    """Recycle bin: what was deleted, and brings it back."""

    id, verbs, screen = "go.bin", ("bin",), Screen.BIN


class GoToBulks(GoTo):
    """Bulk operations: progress, pause, stop."""

    id, verbs, screen = "go.bulks", ("bulks",), Screen.BULKS


class GoToQuarantine(GoTo):
    """Quarantine: what was set aside, and why."""

    id, verbs, screen = "go.quarantine", ("quarantine",), Screen.QUARANTINE


SCREENS = (
    GoToOverview,
    GoToQueues,
    GoToJobs,
    GoToFailures,
    GoToSchedules,
    GoToWorkers,
    GoToLogs,
    GoToMetrics,
    GoToAudit,
    GoToBin,
    GoToBulks,
    GoToQuarantine,
)
