"""What an expression means, shown before it is used: `quarterdeck schedules next` and the sandbox of the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from quarterdeck.errors import UsageError
from quarterdeck.schedule.expression import parse
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.saq_cron import from_saq
from quarterdeck.schedule.words import describe
from quarterdeck.schedule.zones import zone

MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class Preview:
    """An expression read: as it is shown, in words, its kind, and its next fires (aware, in the schedule's zone)."""

    text: str
    words: str
    kind: str
    tz: str
    fires: tuple[datetime, ...]


def preview(
    text: str, tz: str = "UTC", since: datetime | None = None, count: int = 10, *, saq: bool = False
) -> Preview:
    """Read `text` and list its next `count` fires after `since` (default: now; a naive one is the zone's clock).

    `saq` reads it as SAQ's `cron_jobs` do, seconds last. Fewer fires come back when the calendar ends before. Raises
    ExpressionError, UnknownZoneError, and UsageError for a count that is not between 1 and 10,000.
    """
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"The count {count} is not between 1 and {MAX_COUNT}.")
    place = zone(tz)
    expression = from_saq(text) if saq else parse(text)
    moment = datetime.now(UTC) if since is None else since
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=place)
    fires: list[datetime] = []
    try:
        for fire in expression.after(moment, place):
            fires.append(fire.astimezone(place))
            if len(fires) == count:
                break
    except ExpressionError:
        # The calendar ends in 9999, an expression with a year ends with it.
        if not fires:
            raise ExpressionError(f"{expression.text!r} does not fire after {moment.isoformat()}.") from None
    return Preview(expression.text, describe(expression, place), expression.kind.value, tz, tuple(fires))
