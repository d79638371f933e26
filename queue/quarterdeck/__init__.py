"""The queue server and the only door to Redis or Valkey.

Names are imported when they are first asked for, so that `import quarterdeck` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would be most of this module's cost

if TYPE_CHECKING:
    from quarterdeck.app import App, Handle, JobContext, Task, TaskOptions, current_job, depends
    from quarterdeck.broker.queue import Queue
    from quarterdeck.errors import (
        ArgumentError,
        JobFailedError,
        JobGoneError,
        QuarterdeckError,
        ResultTimeoutError,
        UnreachableError,
        UsageError,
    )
    from quarterdeck.flow import CircuitBreaker, CircuitOpenError, branch, chain, chord, group, once, saga
    from quarterdeck.worker.worker import Worker

__version__ = "0.1.0"

_HOMES = {
    "quarterdeck.app": ("App", "Handle", "JobContext", "Task", "TaskOptions", "current_job", "depends"),
    "quarterdeck.broker.queue": ("Queue",),
    "quarterdeck.errors": (
        "ArgumentError",
        "JobFailedError",
        "JobGoneError",
        "QuarterdeckError",
        "ResultTimeoutError",
        "UnreachableError",
        "UsageError",
    ),
    "quarterdeck.flow": ("CircuitBreaker", "CircuitOpenError", "branch", "chain", "chord", "group", "once", "saga"),
    "quarterdeck.worker.worker": ("Worker",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "App",
    "ArgumentError",
    "CircuitBreaker",
    "CircuitOpenError",
    "Handle",
    "JobContext",
    "JobFailedError",
    "JobGoneError",
    "QuarterdeckError",
    "Queue",
    "ResultTimeoutError",
    "Task",
    "TaskOptions",
    "UnreachableError",
    "UsageError",
    "Worker",
    "branch",
    "chain",
    "chord",
    "current_job",
    "depends",
    "group",
    "once",
    "saga",
]


def __getattr__(name: str) -> object:
    """Import `name` from its module at first use (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported yet or not."""
    return sorted([*globals(), *__all__])
