"""The errors of the package: each names the thing, the place and the cure, and carries an exit status."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What a command of `quarterdeck` ends with."""

    DONE = 0
    TROUBLE = 1
    USAGE = 2
    UNREACHABLE = 3


class QuarterdeckError(Exception):
    """The base of all errors that a user can cause or cure.

    `message` is one sentence that names what went wrong and where; `cure` is one that says what to do (may be empty).
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.TROUBLE

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class UsageError(QuarterdeckError):
    """Something was asked in a way that can't be understood or is not allowed."""

    exit_status = ExitStatus.USAGE


class UnreachableError(QuarterdeckError):
    """The server could not be reached, or did not let us in."""

    exit_status = ExitStatus.UNREACHABLE


class RefusedError(UsageError):
    """An act that the role, the environment or the state of the data does not allow."""


class AddressError(UsageError):
    """A server's URL that can't be read, or that reads two ways."""


class SettingsError(UsageError):
    """A setting that is not known or has the wrong type; the message names its file, itself and the nearest one."""


class EmbeddedError(UnreachableError):
    """The embedded server could not be started, or refused to run."""


class ArgumentError(UsageError):
    """Arguments that do not fit a function's signature, found before a job is sent or before it runs."""


class TargetError(UsageError):
    """What a worker was told to run can't be loaded: no such module, no such name, or its code raises."""


class JobFailedError(QuarterdeckError):
    """A job that one waited for ended without a result; `traceback` is the worker's own, `status` failed or aborted."""

    def __init__(self, function: str, key: str, status: str, traceback: str) -> None:
        lines = traceback.strip().splitlines()
        super().__init__(f"The job {key} ({function}) {status}: {lines[-1] if lines else 'no reason was recorded'}")
        self.function = function
        self.key = key
        self.status = status
        self.traceback = traceback
        if len(lines) > 1:
            self.add_note(f"On the worker:\n{traceback.rstrip()}")


class ResultTimeoutError(QuarterdeckError, TimeoutError):
    """A job that one waited for did not end in time; it goes on."""


class JobGoneError(QuarterdeckError):
    """A job of which the server knows nothing (any more): its ttl is over, or it was deleted."""
