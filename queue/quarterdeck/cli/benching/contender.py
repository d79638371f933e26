"""Who is measured: the library, how it is told apart, and about how many no-op jobs it does in a second."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True)
class Contender:
    """A library. Its settings are in its file below `peers/`, its first line says which."""

    name: str
    module: str
    """Its file in `peers/`."""
    jobs: int
    """No-op jobs a run, so that one takes about a second."""
    needs: tuple[str, ...] = ()
    """What must be importable."""
    packages: tuple[str, ...] = ()
    """Distributions whose versions are told."""
    pure: bool = True
    """Whether it is a pure-Python peer."""
    threads: bool = False
    """Whether its jobs run in threads: 100 of them are no comparison with 100 coroutines."""

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of its packages."""
        return {name: metadata.version(name) for name in self.packages}


OURS = Contender("quarterdeck", "own_peer", 30_000, packages=("quarterdeck", "uvloop", "msgspec", "hiredis"))
STOCK = Contender("saq", "saq_peer", 2_000, packages=("saq", "redis"))
PEERS = (
    Contender("ardiq", "ardiq_peer", 10_000, ("ardiq", "uvloop"), ("ardiq",), pure=False),
    Contender("huey", "huey_peer", 3_000, ("huey",), ("huey",), threads=True),
    Contender("dramatiq", "dramatiq_peer", 2_500, ("dramatiq",), ("dramatiq",), threads=True),
    Contender("taskiq", "taskiq_peer", 2_000, ("taskiq", "taskiq_redis"), ("taskiq", "taskiq-redis")),
    Contender("arq", "arq_peer", 1_500, ("arq",), ("arq",)),
    Contender("streaq", "streaq_peer", 1_500, ("streaq",), ("streaq",)),
    Contender("celery", "celery_peer", 1_000, ("celery",), ("celery",), threads=True),
    Contender("rq", "rq_peer", 300, ("rq",), ("rq",), threads=True),
)
