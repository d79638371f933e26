"""Rows of lists, of whichever kind. Each concept has its own module; here they are together."""

from __future__ import annotations

from quarterdeck.model.job import Document, FailureGroup, JobRow
from quarterdeck.model.line import AuditRow, LogRow
from quarterdeck.model.operation import BinRow, BulkRow, OperatorRow, QuarantineRow
from quarterdeck.model.queues import FunctionStat, PauseStat, QueueStat
from quarterdeck.model.row import Row
from quarterdeck.model.schedule import RunRow, ScheduleRow
from quarterdeck.model.worker import CurrentJob, FunctionSpec, ParameterSpec, WorkerRow

AnyRow = (
    JobRow
    | WorkerRow
    | ScheduleRow
    | RunRow
    | FailureGroup
    | LogRow
    | AuditRow
    | OperatorRow
    | BinRow
    | BulkRow
    | QuarantineRow
)

__all__ = [
    "AnyRow",
    "AuditRow",
    "BinRow",
    "BulkRow",
    "CurrentJob",
    "Document",
    "FailureGroup",
    "FunctionSpec",
    "FunctionStat",
    "JobRow",
    "LogRow",
    "OperatorRow",
    "ParameterSpec",
    "PauseStat",
    "QuarantineRow",
    "QueueStat",
    "Row",
    "RunRow",
    "ScheduleRow",
    "WorkerRow",
]
