"""Fire times against two others: cronsim, and a walk of a clock, minute by minute, that follows the manual.

`CRON_CASES` and `CRON_SEED` in the environment make it longer and different: `CRON_CASES=100000 CRON_SEED=7 pytest …`.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from cronsim import CronSim, CronSimError

from quarterdeck.schedule.expression import Expression, Kind, parse
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.zones import zone

CASES = int(os.environ.get("CRON_CASES", "12000"))
SEED = int(os.environ.get("CRON_SEED", "20261122"))
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Antarctica/Troll",
]


class Walk:
    """A reading of crontab(5) and cron(8) that shares nothing with the package: it looks at a clock each minute."""

    def __init__(self, text: str) -> None:
        minute, hour, day, month, weekday = text.split()
        self.minutes = self._set(minute, 0, 59)
        self.hours = self._set(hour, 0, 23)
        self.days = self._set(day, 1, 31)
        self.months = self._set(month, 1, 12)
        self.weekdays = {value % 7 for value in self._set(weekday, 0, 7)}
        self.both = day[0] == "*" or weekday[0] == "*"
        self.wildcard = minute[0] == "*" or hour[0] == "*"

    @staticmethod
    def _set(text: str, low: int, high: int) -> set[int]:
        out: set[int] = set()
        for item in text.split(","):
            span, _, step = item.partition("/")
            first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
            out |= set(range(int(first), int(last or first) + 1, int(step or 1)))
        return out

    def on_day(self, wall: datetime) -> bool:
        if wall.month not in self.months:
            return False
        day, weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.both else (day or weekday)

    def matches(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and self.on_day(wall)

    def next_after(self, moment: datetime, name: str) -> datetime | None:
        now = moment.replace(second=0, microsecond=0)
        if not no_change(name, now - 30 * HOUR, now):
            now -= 30 * HOUR
        seen = now + offset_at(name, now)
        end = now + timedelta(days=800)
        while now < end:
            now += MINUTE
            wall = now + offset_at(name, now)
            fires = (wall > seen or self.wildcard) and self.matches(wall)
            skipped = seen + MINUTE
            while skipped < wall:
                fires = fires or (not self.wildcard and self.matches(skipped))
                skipped += MINUTE
            seen = max(seen, wall)
            if fires and now > moment:
                return now
            # Nothing can happen on the rest of a day, or of an hour, that does not match and has no change.
            if not self.on_day(wall):
                jump = wall.replace(hour=23, minute=59) - wall
            else:
                jump = MINUTE * (59 - wall.minute if wall.hour not in self.hours else 0)
            if jump > MINUTE and no_change(name, now, now + jump):
                now += jump
                seen = max(seen, wall + jump)
        return None


@lru_cache(maxsize=64)
def changes(name: str) -> tuple[list[datetime], list[timedelta]]:
    """The moments (naive UTC) at which the offset of a zone changes, to the minute, and the offsets from then on."""
    tz = zone(name)

    def offset(moment: datetime) -> timedelta:
        found = moment.replace(tzinfo=UTC).astimezone(tz).utcoffset()
        assert found is not None
        return found

    moment = datetime(2004, 1, 1)  # noqa: DTZ001 - UTC throughout, without saying so
    moments, offsets = [moment], [offset(moment)]
    while moment.year < 2036:
        later = moment + timedelta(hours=12)
        if offset(later) != offsets[-1]:
            while moment < later and offset(moment) == offsets[-1]:
                moment += MINUTE
            moments.append(moment)
            offsets.append(offset(moment))
        moment = later
    return moments, offsets


def offset_at(name: str, moment: datetime) -> timedelta:
    moments, offsets = changes(name)
    return offsets[bisect_right(moments, moment) - 1]


def no_change(name: str, start: datetime, end: datetime) -> bool:
    moments, _ = changes(name)
    return bisect_right(moments, start) == bisect_right(moments, end + MINUTE)


def random_field(dice: random.Random, low: int, high: int, star: float) -> str:
    if dice.random() < star:
        return "*" if dice.random() < 0.7 else f"*/{dice.randint(2, min(15, high))}"
    items = []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        first = dice.randint(low, high)
        # Never 5-5/2: cronsim reads it as 5-59/2.
        span = str(first) if first == high or dice.random() < 0.6 else f"{first}-{dice.randint(first + 1, high)}"
        items.append(
            span + (f"/{dice.randint(1, 9 if high > 9 else 3)}" if "-" in span and dice.random() < 0.3 else "")
        )
    return ",".join(items)


def random_expression(dice: random.Random) -> str:
    return " ".join(
        [
            random_field(dice, 0, 59, 0.3),
            random_field(dice, 0, 23 if dice.random() < 0.5 else 3, 0.35),
            random_field(dice, 1, 31, 0.7),
            random_field(dice, 1, 12, 0.85),
            random_field(dice, 0, 7, 0.7),
        ]
    )


def cases(dice: random.Random, count: int, *, near: bool) -> list[tuple[Expression, Walk, str, datetime]]:
    """Random expressions, zones and moments; `near`: within 36 hours of a change of the zone's offset."""
    found = []
    while len(found) < count:
        text = random_expression(dice)
        try:
            expression = parse(text)
        except ExpressionError as error:
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert "can never fire" in refused
            continue
        name = dice.choice(ZONES)
        moment = datetime(2005, 1, 1) + timedelta(seconds=dice.randint(0, 25 * 365 * 86400))  # noqa: DTZ001
        moments, _ = changes(name)
        if near and len(moments) > 1:
            changed = dice.choice([change for change in moments[1:] if change.year < 2032])
            moment = changed + timedelta(seconds=dice.randint(-36 * 3600, 36 * 3600))
        found.append((expression, Walk(text), name, moment))
    return found


def ours(expression: Expression, name: str, moment: datetime) -> datetime:
    return expression.next_after(moment.replace(tzinfo=UTC), zone(name)).replace(tzinfo=None)


@pytest.mark.slow
@pytest.mark.parametrize("near", [False, True], ids=["any time", "within 36 h of a change"])
def test_every_fire_time_is_what_a_clock_read_by_the_manual_gives(near: bool) -> None:
    dice = random.Random(SEED + near)
    wrong = []
    for expression, walk, name, moment in cases(dice, CASES // 6, near=near):
        answer = ours(expression, name, moment)
        if answer - moment > timedelta(days=700):
            # Too far for a walk; the day rule is compared below.
            continue
        expected = walk.next_after(moment, name)
        if answer != expected:
            wrong.append((expression.text, name, moment, answer, expected))
    assert wrong == []


@pytest.mark.slow
def test_chains_of_fires_across_a_change_neither_lose_nor_double() -> None:
    dice = random.Random(SEED + 2)
    wrong = []
    for expression, walk, name, moment in cases(dice, CASES // 20, near=True):
        mine, its = moment, moment
        for _ in range(8):
            mine = ours(expression, name, mine)
            if mine - moment > timedelta(days=60):
                break
            its = walk.next_after(its, name)
            if mine != its:
                wrong.append((expression.text, name, moment, mine, its))
                break
    assert wrong == []


@pytest.mark.slow
def test_cronsim_agrees_and_where_it_does_not_the_clock_decides_for_us() -> None:
    dice = random.Random(SEED + 3)
    departures = 0
    found = cases(dice, CASES // 2, near=False)
    for expression, walk, name, moment in found:
        answer = ours(expression, name, moment)
        try:
            theirs = next(CronSim(expression.text, moment.replace(tzinfo=UTC).astimezone(zone(name))))
        except (CronSimError, StopIteration):
            pytest.fail(f"cronsim refuses {expression.text!r}")
        if theirs.astimezone(UTC).replace(tzinfo=None) != answer:
            departures += 1
            assert walk.next_after(moment, name) == answer, (expression.text, name, moment, answer, theirs)
    assert departures <= len(found) * 0.005


@pytest.mark.slow
def test_cronsim_agrees_on_every_expression_in_utc() -> None:
    dice = random.Random(SEED + 4)
    for expression, _, _, moment in cases(dice, CASES // 2, near=False):
        theirs = next(CronSim(expression.text, moment.replace(tzinfo=UTC)))
        assert ours(expression, "UTC", moment) == theirs.replace(tzinfo=None), expression.text


@pytest.mark.slow
def test_six_fields_agree_with_cronsim_in_utc() -> None:
    dice = random.Random(SEED + 5)
    compared = 0
    while compared < CASES // 10:
        text = f"{random_field(dice, 0, 59, 0.4)} {random_expression(dice)}"
        try:
            expression = parse(text)
        except ExpressionError:
            continue
        moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randint(0, 10 * 365 * 86400))
        chain = CronSim(text, moment)
        assert expression.upcoming(moment, zone("UTC"), 3) == [next(chain) for _ in range(3)], text
        compared += 1


def test_the_walk_knows_the_two_kinds() -> None:
    assert Walk("*/5 2 * * *").wildcard == (parse("*/5 2 * * *").kind is Kind.WILDCARD)
    assert Walk("5 2 * * *").wildcard == (parse("5 2 * * *").kind is Kind.WILDCARD)
