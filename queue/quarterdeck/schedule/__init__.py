"""Schedules: cron expressions and their fire times, the scheduler, and the ledger of runs.

`parse` and `describe` say what an expression means; `ScheduleStore.define` puts the schedules of an app on a queue;
`Scheduler` fires them; `ScheduleBook` shows them and acts on them; `settlement` tells the ledger how a job ended.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quarterdeck.schedule.book import ScheduleBook
    from quarterdeck.schedule.expression import Expression, Kind, parse
    from quarterdeck.schedule.fields import ExpressionError
    from quarterdeck.schedule.ledger import Retention, settlement
    from quarterdeck.schedule.sandbox import Preview, preview
    from quarterdeck.schedule.saq_cron import from_saq
    from quarterdeck.schedule.scheduler import Scheduler
    from quarterdeck.schedule.spec import (
        CatchUp,
        Origin,
        Overlap,
        ScheduleError,
        ScheduleSpec,
        spec_of_task,
        specs_of_saq,
    )
    from quarterdeck.schedule.stock import pause_of_marker, pause_stock, resume_stock
    from quarterdeck.schedule.store import ScheduleStore
    from quarterdeck.schedule.words import describe
    from quarterdeck.schedule.zones import UnknownZoneError, zone

_HOMES = {
    "CatchUp": "spec",
    "Expression": "expression",
    "ExpressionError": "fields",
    "Kind": "expression",
    "Origin": "spec",
    "Overlap": "spec",
    "Preview": "sandbox",
    "Retention": "ledger",
    "ScheduleBook": "book",
    "ScheduleError": "spec",
    "ScheduleSpec": "spec",
    "ScheduleStore": "store",
    "Scheduler": "scheduler",
    "UnknownZoneError": "zones",
    "describe": "words",
    "from_saq": "saq_cron",
    "parse": "expression",
    "pause_of_marker": "stock",
    "pause_stock": "stock",
    "preview": "sandbox",
    "resume_stock": "stock",
    "settlement": "ledger",
    "spec_of_task": "spec",
    "specs_of_saq": "spec",
    "zone": "zones",
}

__all__ = [
    "CatchUp",
    "Expression",
    "ExpressionError",
    "Kind",
    "Origin",
    "Overlap",
    "Preview",
    "Retention",
    "ScheduleBook",
    "ScheduleError",
    "ScheduleSpec",
    "ScheduleStore",
    "Scheduler",
    "UnknownZoneError",
    "describe",
    "from_saq",
    "parse",
    "pause_of_marker",
    "pause_stock",
    "preview",
    "resume_stock",
    "settlement",
    "spec_of_task",
    "specs_of_saq",
    "zone",
]


def __getattr__(name: str) -> Any:
    """Import a part when it is first asked for: whoever only reads an expression does not pay for the client."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
