"""What a schedule is: a name, when, what with which arguments, and what to do when a tick can't run as it should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.schedule.expression import Expression, parse
from quarterdeck.schedule.options import JOB_FIELDS, wrong_option
from quarterdeck.schedule.saq_cron import from_saq
from quarterdeck.schedule.zones import zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MAX_NAME: Final = 200
MAX_CATCH_UP: Final = 1_000
WEEK_S: Final = 7 * 24 * 3600.0
CENTURY_S: Final = 100 * 366 * 24 * 3600.0
"""No length of time may be longer: the scripts reckon in whole milliseconds."""


class ScheduleError(UsageError):
    """A schedule that can't be defined or acted on; the message names the schedule and the reason."""


class Overlap(StrEnum):
    """What a tick does when the run before it is not over."""

    SKIP = "skip"
    QUEUE = "queue"
    """Wait for it; one at most waits."""
    ALLOW = "allow"
    CANCEL = "cancel"
    """Stop it, then run."""


class CatchUp(StrEnum):
    """What becomes of ticks that no scheduler was there for."""

    LATEST = "latest"
    """The newest one runs, for all of them."""
    NONE = "none"
    ALL = "all"
    """Each runs, the newest `catch_up_max` of them."""


class Origin(StrEnum):
    """Who defined a schedule."""

    CODE = "code"
    SAQ = "saq"
    """SAQ's `cron_jobs` in the settings of a deck worker."""
    RUNTIME = "runtime"
    """An operator, from the command line or the dashboard."""


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule as it was defined. `name` is its identity within its queue; several may share a function."""

    name: str
    expression: str
    function: str
    tz: str = "UTC"
    notation: str = "cron"
    """`cron`: ours, seconds first; `saq`: croniter's meaning, seconds last."""
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LATEST
    catch_up_max: int = 100
    """`all`: so many of the missed ticks run, the newest ones; 1,000 at most."""
    catch_up_window_s: float = WEEK_S
    """Missed ticks older than this do not run."""
    jitter_s: float = 0.0
    """Ticks fire up to this much later, each by an amount that its name and time decide."""
    expected_s: float | None = None
    description: str = ""
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    """SAQ's job fields: timeout, heartbeat, retries, ttl, retry_delay, retry_backoff."""
    origin: Origin = Origin.CODE
    app: str = ""
    """Whose code defined it: what that code drops is dropped here."""
    by: str = ""
    """Runtime: who added it."""
    takes_over: bool = False
    """SAQ's unique crons: stock workers are kept from enqueuing it too."""

    def read(self) -> Expression:
        """The expression. Raises ExpressionError."""
        return from_saq(self.expression) if self.notation == "saq" else parse(self.expression)

    def place(self) -> ZoneInfo:
        """The time zone. Raises UnknownZoneError."""
        return zone(self.tz)

    @property
    def timing(self) -> tuple[str, str, str, float]:
        """What decides the ticks: when it changes, the next one is computed anew."""
        return self.expression, self.notation, self.tz, self.jitter_s


EDITABLE: Final = frozenset(
    {
        "expression", "tz", "arguments", "overlap", "catch_up", "catch_up_max", "catch_up_window_s", "jitter_s",
        "expected_s", "description", "options", "function",
    }
)  # fmt: skip
NOTATIONS: Final = ("cron", "saq")
_BOUNDS: Final = (
    ("jitter_s", 0, CENTURY_S),
    ("catch_up_window_s", 0, CENTURY_S),
    ("expected_s", 0, CENTURY_S),
    ("catch_up_max", 1, MAX_CATCH_UP),
)


def checked(spec: ScheduleSpec) -> ScheduleSpec:
    """`spec`, once all of it is found to be sound. Raises ScheduleError, ExpressionError or UnknownZoneError."""
    check_name(spec.name)
    if not spec.function:
        raise ScheduleError(f"The schedule {spec.name} names no function.")
    spec.read()
    spec.place()
    if spec.notation not in NOTATIONS:
        raise ScheduleError(
            f"The schedule {spec.name}: there is no notation {spec.notation!r}.", f"Write {' or '.join(NOTATIONS)}."
        )
    _check_numbers(spec)
    if unknown := sorted(set(spec.options) - JOB_FIELDS):
        raise ScheduleError(
            f"The schedule {spec.name}: {', '.join(unknown)} is no job setting.",
            f"There are {', '.join(sorted(JOB_FIELDS))}.",
        )
    if wrong := wrong_option(spec.options):
        raise ScheduleError(f"The schedule {spec.name}: its job settings can't be: {wrong}.")
    return spec


def _check_numbers(spec: ScheduleSpec) -> None:
    for field, low, high in _BOUNDS:
        value = getattr(spec, field)
        if value is None:
            continue
        if not value >= low:  # NaN is refused too
            raise ScheduleError(f"The schedule {spec.name}: {field} is {value}, and at least {low} is needed.")
        if value > high:
            raise ScheduleError(f"The schedule {spec.name}: {field} is {value}, above {high:g}.")


def check_name(name: str) -> None:
    """Raise ScheduleError for a name that can't be told apart or shown."""
    if not name or len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise ScheduleError(f"{name[:80]!r} is no name for a schedule.", f"Use 1 to {MAX_NAME} visible characters.")


_LONG_WORDS: Final = {"queue one": "queue", "queue-one": "queue", "cancel other": "cancel", "cancel-other": "cancel"}


def converted(value: Mapping[str, Any]) -> ScheduleSpec:
    """A checked spec from plain values, as the command line and the API have them. Raises ScheduleError and its kin."""
    values = dict(value)
    if isinstance(values.get("overlap"), str):
        values["overlap"] = overlap = _LONG_WORDS.get(values["overlap"], values["overlap"])
        if overlap not in {*Overlap}:
            raise ScheduleError(
                f"The schedule {value.get('name', '')!r} can't be defined: overlap is {overlap!r}.",
                f"Write {', '.join(Overlap)}.",
            )
    try:
        spec = checked(msgspec.convert(values, ScheduleSpec))
        msgspec.json.encode(spec)
    except msgspec.ValidationError as error:
        raise ScheduleError(f"The schedule {value.get('name', '')!r} can't be defined: {error}.") from None
    except UnicodeEncodeError:
        raise ScheduleError(f"The schedule {spec.name} can't be defined: half a character can't be stored.") from None
    else:
        return spec


_CATCH_UP: Final = re.compile(
    r"(?P<policy>latest|none|all)(:(?P<most>\d{1,6}))?(/(?P<window>\d{1,6})(?P<unit>[smhd]))?"
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class TimedTask(Protocol):
    """What `@app.schedule` leaves behind (`app.timetable.Timed`)."""

    name: str
    expression: str
    tz: str
    task: Any
    arguments: dict[str, Any]
    overlap: str
    catch_up: str
    jitter_s: float
    expected_s: float | None
    description: str
    options: Any


def spec_of_task(timed: TimedTask, *, app: str = "") -> ScheduleSpec:
    """The spec of an `@app.schedule`. Raises ScheduleError and its kin.

    `catch_up` may say how many of the missed ticks run, and how old they may be: `all:500`, `all:100/6h`, `latest/2h`.
    """
    found = _CATCH_UP.fullmatch(timed.catch_up)
    if found is None:
        raise ScheduleError(
            f"The schedule {timed.name}: catch_up is {timed.catch_up!r}.",
            "Write latest, none, all, all:100, all:100/6h or latest/2h.",
        )
    values: dict[str, Any] = {
        "name": timed.name,
        "expression": timed.expression,
        "function": timed.task.name,
        "tz": timed.tz,
        "arguments": timed.arguments,
        "overlap": timed.overlap,
        "catch_up": found["policy"],
        "jitter_s": timed.jitter_s,
        "expected_s": timed.expected_s,
        "description": timed.description,
        "options": {name: value for name, value in timed.options.job_fields().items() if value is not None},
        "origin": Origin.CODE,
        "app": app,
    }
    if found["most"]:
        values["catch_up_max"] = int(found["most"])
    if found["window"]:
        values["catch_up_window_s"] = float(found["window"]) * _UNITS[found["unit"]]
    return converted(values)


def specs_of_saq(cron_jobs: Iterable[Any], *, tz: str = "UTC", app: str = "") -> list[ScheduleSpec]:
    """The specs of SAQ's `cron_jobs` (objects of `saq.CronJob`).

    The name is the function's, numbered when several share one. Raises ExpressionError for an expression that SAQ's
    croniter does not read or that can never fire: stock SAQ starts with it, and stops all its delayed jobs.
    """
    specs: list[ScheduleSpec] = []
    taken: Sequence[str] = []
    for cron in cron_jobs:
        function = cron.function.__qualname__
        same = sum(name == function or name.startswith(f"{function}-") for name in taken)
        name = f"{function}-{same + 1}" if same else function
        taken = [*taken, name]
        options = {field: getattr(cron, field) for field in ("timeout", "heartbeat", "retries", "ttl")}
        specs.append(
            converted(
                {
                    "name": name,
                    "expression": cron.cron,
                    "notation": "saq",
                    "function": function,
                    "tz": tz,
                    "arguments": dict(cron.kwargs or {}),
                    "overlap": Overlap.SKIP if cron.unique else Overlap.ALLOW,
                    "options": {field: value for field, value in options.items() if value is not None},
                    "origin": Origin.SAQ,
                    "app": app,
                    "takes_over": bool(cron.unique),
                }
            )
        )
    return specs
