"""The sign of life that a worker writes with each beat: `qd:workers:Q`, worker id → this record as JSON."""

from __future__ import annotations

from typing import Final

import msgspec

from quarterdeck.model.rows import CurrentJob, FunctionSpec

CURRENT_LIMIT: Final = 50
"""Running jobs named in a beat."""
LOST_KEPT_MS: Final = 3_600_000
"""How long the record of a lost worker stays."""


class BeatStats(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many attempts of a worker ended how, since it started."""

    complete: int = 0
    failed: int = 0
    retried: int = 0
    aborted: int = 0


class WorkerBeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a worker says of itself. Times are epoch ms on the server's clock."""

    name: str = ""
    """host:pid, or the name it was given."""
    saq_id: str = ""
    """The id that the worker was given, under which SAQ's tools have it; empty where it is its own."""
    host: str = ""
    pid: int = 0
    queues: tuple[str, ...] = ()
    slots: int = 0
    running: int = 0
    current: tuple[CurrentJob, ...] = ()
    """At most `CURRENT_LIMIT`, oldest first."""
    started_ms: int = 0
    beat_ms: int = 0
    version: str = ""
    functions: tuple[FunctionSpec, ...] = ()
    state: str = "running"
    """running, quiet, stopping, lost."""
    stats: BeatStats = BeatStats()
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    skew_ms: float | None = None
    """The worker's wall clock less the server's."""
    held: tuple[str, ...] = ()
    """For a lost worker: keys of the jobs it held."""
    stack: str = ""
    """The stack that was asked for last."""
    stack_key: str = ""
    """The job it is the stack of."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(WorkerBeat)


def encode_beat(beat: WorkerBeat) -> bytes:
    """A beat as JSON."""
    return _encoder.encode(beat)


def decode_beat(value: bytes | str | None) -> WorkerBeat | None:
    """The beat in `value`, or None when it is missing or damaged."""
    try:
        return _decoder.decode(value) if value else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
