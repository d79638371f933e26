"""What happened, as the parts of the dashboard tell each other: past events, named so."""

from __future__ import annotations

from textual.message import Message

from quarterdeck.errors import QuarterdeckError
from quarterdeck.model import Outcome, Snapshot


class SnapshotReady(Message):
    """The server answered: everything that can be painted is in `snapshot`."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class ReadFailed(Message):
    """The server did not answer; the last rows stay, and `retry_s` seconds from now it is asked again."""

    def __init__(self, error: QuarterdeckError, retry_s: float) -> None:
        super().__init__()
        self.error = error
        self.retry_s = retry_s


class ActFinished(Message):
    """An operator's act came back; what it says is shown, and the next read is asked for at once."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class ActRefused(Message):
    """An act was not even tried, or the operator layer refused it."""

    def __init__(self, error: QuarterdeckError) -> None:
        super().__init__()
        self.error = error
