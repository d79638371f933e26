"""Which class shows which screen. Imported when first shown: only the overview is needed for the first painting."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from quarterdeck.model import Screen, View
from tui.screens.deckscreen import DeckScreen

NUMBERED: Final = (
    Screen.OVERVIEW,
    Screen.QUEUES,
    Screen.JOBS,
    Screen.FAILURES,
    Screen.SCHEDULES,
    Screen.WORKERS,
    Screen.LOGS,
    Screen.METRICS,
    Screen.AUDIT,
)
"""The screens behind the keys 1 to 9, in order."""

CLASSES: Final = {
    Screen.OVERVIEW: "overview:Overview",
    Screen.QUEUES: "queues:Queues",
    Screen.JOBS: "jobs:Jobs",
    Screen.FAILURES: "failures:Failures",
    Screen.SCHEDULES: "schedules:Schedules",
    Screen.WORKERS: "workers:Workers",
    Screen.LOGS: "logs:Logs",
    Screen.METRICS: "metrics:Metrics",
    Screen.AUDIT: "audit:Audit",
    Screen.BIN: "recyclebin:RecycleBin",
    Screen.BULKS: "bulks:Bulks",
    Screen.QUARANTINE: "quarantine:Quarantine",
    Screen.JOB: "job:Job",
    Screen.GROUP: "group:Group",
    Screen.QUEUE: "queue:Queue",
    Screen.SCHEDULE: "schedule:Schedule",
    Screen.WORKER: "worker:Worker",
}


def screen_for(view: View) -> DeckScreen:
    """A new screen that shows `view`."""
    module, _, name = CLASSES[view.screen].partition(":")
    found = getattr(import_module(f"tui.screens.{module}"), name)
    return cast("DeckScreen", found(view))
