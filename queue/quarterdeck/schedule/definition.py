"""A schedule as it stands: what code (or an operator's `add`) defined, what operators changed, and the two together."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.schedule.spec import EDITABLE, ScheduleSpec, checked

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from quarterdeck.schedule.expression import Expression

MAX_CHANGES: Final = 20
_TAG: Final = re.compile(r"\{([^}]+)\}")


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change by an operator: who, when (epoch ms), why, and the fields as they became."""

    who: str
    at_ms: int
    reason: str = ""
    fields: dict[str, Any] = msgspec.field(default_factory=dict)


class Edits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What operators changed of a schedule that code defines; a redeploy leaves it alone."""

    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    deleted: bool = False
    changes: tuple[Change, ...] = ()
    """The newest last, at most 20."""

    def with_change(self, change: Change, *, deleted: bool = False) -> Edits:
        """These edits and one more."""
        fields = self.fields | change.fields
        return Edits(fields=fields, deleted=deleted, changes=(*self.changes, change)[-MAX_CHANGES:])


class Definition:
    """A schedule read from the server: `code`, `edits`, and `spec`, the two together, checked.

    `digest` names this state of it: the scripts refuse to act for a definition that is no longer the one stored.
    """

    __slots__ = ("code", "digest", "edits", "expression", "parts", "queue", "spec", "tz")

    def __init__(self, queue: str, code: ScheduleSpec, edits: Edits, digest: str) -> None:
        self.queue = queue
        self.code = code
        self.edits = edits
        self.digest = digest
        self.spec = checked(with_edits(code, edits))
        self.expression: Expression = self.spec.read()
        self.tz: ZoneInfo = self.spec.place()
        self.parts = payload_parts(self.spec, queue)

    @property
    def key_base(self) -> str:
        """The job key of a run without its tick."""
        return key_base(self.spec.name, self.queue)


class BrokenError(UsageError):
    """A stored definition that can't be used; the message says why."""


def digest_of(code: bytes | None, edits: bytes | None) -> str:
    """The digest of a stored definition as the scripts compute it; empty when there is none."""
    if code is None:
        return ""
    return hashlib.sha1(code + b"\0" + (edits or b""), usedforsecurity=False).hexdigest()


def read(queue: str, name: str, code: bytes, edits: bytes | None) -> Definition:
    """A definition from what is stored. Raises BrokenError for what someone has edited by hand into nonsense."""
    try:
        spec = msgspec.json.decode(code, type=ScheduleSpec)
        changes = msgspec.json.decode(edits, type=Edits) if edits else Edits()
        found = Definition(queue, spec, changes, digest_of(code, edits))
    except (msgspec.MsgspecError, UsageError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenError(str(error)) from None
    if spec.name != name:
        raise BrokenError(f"its record is for {spec.name[:80]!r}")
    return found


def with_edits(code: ScheduleSpec, edits: Edits) -> ScheduleSpec:
    """The spec that results; an edited expression is in our notation. Raises msgspec.ValidationError."""
    fields = {name: value for name, value in edits.fields.items() if name in EDITABLE}
    if not fields:
        return code
    if "expression" in fields:
        fields["notation"] = "cron"
    return msgspec.convert(msgspec.to_builtins(code) | fields, ScheduleSpec)


def encode(value: ScheduleSpec | Edits) -> bytes:
    """A record as it is stored; the same spec gives the same bytes."""
    return msgspec.json.encode(value, order="sorted")


def key_base(name: str, queue: str) -> str:
    """The beginning of the job keys of a schedule's runs; it carries the queue's hash tag, for clusters."""
    tag = _TAG.search(queue)
    return f"{tag.group(0) if tag else ''}cron:{name}:"


def payload_parts(
    spec: ScheduleSpec, queue: str, *, manual: bool = False, arguments: dict[str, Any] | None = None
) -> tuple[str, str, str, str]:
    """SAQ's payload of a run, cut where the scripts put in the tick (in the key and in `meta`) and the time.

    Its end is exact for the engine's edits: `"status":"queued"}` comes last.
    """
    kwargs = spec.arguments if arguments is None else arguments
    head: dict[str, Any] = {"function": spec.function}
    if kwargs:
        head["kwargs"] = kwargs
    options = dict(spec.options)
    meta = {**(options.pop("meta", None) or {}), "schedule": spec.name}
    if manual:
        meta["manual"] = True
    base = f"{key_base(spec.name, queue)}M" if manual else key_base(spec.name, queue)
    first = _json(head | {"queue": queue, "key": base})[:-2]  # without the key's closing quote and the brace
    second = '"' + ("," + _json(options)[1:-1] if options else "") + ',"meta":' + _json(meta)[:-1] + ',"tick":'
    return first, second, '},"queued":', ',"status":"queued"}'


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
