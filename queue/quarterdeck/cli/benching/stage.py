"""What every measure is given: the server, the rounds, who takes part, and a line to the person who waits."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.cli.benching.contender import Contender
from quarterdeck.cli.benching.load import Load
from quarterdeck.cli.benching.server import BenchServer


@dataclass
class Stage:
    """A run of the bench."""

    server: BenchServer
    rounds: int
    scale: float
    """How long runs are: 1 for about a second each."""
    transport: str
    peers: Sequence[Contender]
    figures: list[dict[str, Any]] = field(default_factory=list)
    """All single runs, for `--json`."""

    def load(self, **changes: Any) -> Load:
        """A load on this server."""
        return Load(url=self.server.urls[self.transport], **changes)

    def scaled(self, count: int, least: int = 50) -> int:
        """A number of jobs, by the length of this run."""
        return max(least, int(count * self.scale))

    def each_round(self, measure: str) -> Iterator[int]:
        """Number the rounds, and say so."""
        for number in range(1, self.rounds + 1):
            print(f"{measure}: round {number} of {self.rounds}", file=sys.stderr, flush=True)
            yield number

    def note(self, measure: str, who: str, **figures: Any) -> None:
        """Keep the figures of one run."""
        self.figures.append({"measure": measure, "who": who, **figures})

    def drop(self, contender: Contender, error: Exception) -> None:
        """Go on without a peer that can't be measured here."""
        print(f"{contender.name} is left out from now on: {error}", file=sys.stderr, flush=True)
        self.peers = [peer for peer in self.peers if peer is not contender]
