"""Reading expressions: what is accepted, what is refused and with which reason."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from quarterdeck.errors import ExitStatus
from quarterdeck.schedule.days import DayRule
from quarterdeck.schedule.expression import Kind, epoch_ms, parse, utc
from quarterdeck.schedule.fields import DAY, MINUTE, MONTH, WEEKDAY, ExpressionError, listed, read_field
from quarterdeck.schedule.zones import UnknownZoneError, place, zone, zone_names


def values(text: str, field: int) -> tuple[int, ...]:
    return parse(text).fields[field].values


def fires(text: str, since: str, count: int = 3, tz: str = "UTC") -> list[str]:
    moment = datetime.fromisoformat(since).replace(tzinfo=zone(tz))
    return [f"{fire.astimezone(zone(tz)):%m-%d %H:%M:%S}" for fire in parse(text).upcoming(moment, zone(tz), count)]


def test_five_fields_fire_at_second_zero() -> None:
    assert fires("30 2 * * *", "2026-01-01T00:00") == ["01-01 02:30:00", "01-02 02:30:00", "01-03 02:30:00"]


def test_six_fields_have_the_seconds_first() -> None:
    assert fires("15 30 2 * * *", "2026-01-01T00:00", 2) == ["01-01 02:30:15", "01-02 02:30:15"]
    assert fires("*/20 * * * * *", "2026-01-01T00:00", 3) == ["01-01 00:00:20", "01-01 00:00:40", "01-01 00:01:00"]


@pytest.mark.parametrize(
    ("nickname", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@Daily", "0 0 * * *"),
    ],
)
def test_a_nickname_means_its_expression(nickname: str, same: str) -> None:
    since = "2026-05-05T05:05:05"
    assert fires(nickname, since) == fires(same, since)
    assert parse(nickname).text == nickname.lower()


def test_names_stand_for_months_and_weekdays_in_lists_and_ranges() -> None:
    assert values("0 0 * jan-mar,DEC mon-fri", 4) == (1, 2, 3, 12)
    assert values("0 0 * jan-mar,DEC mon-fri", 5) == (1, 2, 3, 4, 5)
    assert values("0 0 * * Sun", 5) == (0,)


def test_numbers_and_names_may_stand_in_one_range() -> None:
    assert values("0 0 * 4-jul,nov-12 *", 4) == (4, 5, 6, 7, 11, 12)
    assert values("0 0 * * 3-fri", 5) == (3, 4, 5)


def test_seven_is_sunday() -> None:
    assert values("0 0 * * 7", 5) == (0,)
    assert values("0 0 * * 5-7", 5) == (0, 5, 6)
    assert values("0 0 * * 0-7", 5) == (0, 1, 2, 3, 4, 5, 6)


def test_a_range_of_one_is_one_value_and_not_every_day() -> None:
    assert values("0 0 * * 1-1", 5) == (1,)
    assert fires("0 0 * * 1-1", "2026-01-01T00:00", 2) == ["01-05 00:00:00", "01-12 00:00:00"]


def test_steps_go_over_ranges_and_stars() -> None:
    assert values("*/25 * * * *", 1) == (0, 25, 50)
    assert values("10-20/5 * * * *", 1) == (10, 15, 20)
    assert values("0 0 */10 * *", 3) == (1, 11, 21, 31)
    assert values("0 0 * * 1-7/2", 5) == (0, 1, 3, 5)


def test_white_space_is_not_part_of_an_expression() -> None:
    assert parse("  30\t2  * *   1 ").text == "30 2 * * 1"
    assert parse("30 2 * * 1") == parse(" 30 2 * * 1")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        # Neither field begins with a star: either will do.
        ("0 0 13 * 5", ["2", "9", "13", "16", "23", "30"]),
        # One begins with a star: both must match, however the star goes on (https://crontab.guru/cron-bug.html).
        ("0 0 * * 5", ["2", "9", "16", "23", "30"]),
        ("0 0 13 * *", ["13"]),
        ("0 0 */2 * 5", ["9", "23"]),
        ("0 0 13-20 * */5", ["16", "18"]),
        # 1-31 does not begin with a star: every day.
        ("0 0 1-31 * 5", [str(day) for day in range(1, 32)]),
        ("0 0 13 * 0-6", [str(day) for day in range(1, 32)]),
    ],
)
def test_days_of_month_and_week_combine_as_the_manual_says(text: str, days: list[str]) -> None:
    # January 2026 begins on a Thursday.
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert [str(fire.day) for fire in parse(text).between(start, end, zone("UTC"))] == days


def test_the_29th_of_february_waits_for_leap_years() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert [fire.year for fire in parse("0 0 29 2 *").upcoming(since, zone("UTC"), 3)] == [2028, 2032, 2036]
    # Both fields restricted and one starred: the 29th of February that is a Sunday, 28 years apart.
    assert [fire.year for fire in parse("0 0 29 2 */7").upcoming(since, zone("UTC"), 2)] == [2032, 2060]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 0 30 2 *", "can never fire"),
        ("0 0 31 4,6,9,11 *", "can never fire"),
        ("0 0 30-31 2 */2", "can never fire"),
        ("22-2 * * * *", "Write 22-59,0-2"),
        ("0 22-2 * * *", "Write 22-23,0-2"),
        ("0 0 * * fri-mon", "Write 5-6,0-1"),
        ("0 0 * * sat-sun", "Write 6-7"),
        ("0 0 * nov-jan *", "Write 11-12,1"),
        ("5/15 * * * *", "reads two ways"),
        ("59/15 * * * *", "Write 59 or 59-59/15"),
        ("30 2 * * 1 0", "reads two ways"),
        ("0 2 * * * 0", "write '0 0 2 * * *'"),
        ("* * * * * 5", "write '5 * * * * *', or '* * * * * FRI' if FRI is meant"),
        ("* * * * * */5", "write '*/5 * * * * *', or '* * * * * SUN,FRI' if SUN,FRI is meant"),
        ("*/5 * * * * 5", "write '5 */5 * * * *', or '*/5 * * * * FRI' if FRI is meant"),
        ("* * * * * 30", "Seconds come first here: write '30 * * * * *'"),
        ("30 2 * * * 15", "Seconds come first here: write '15 30 2 * * *'"),
        ("0 0 * 13-jul *", "not between 1 and 12"),
        ("0 0 * 9-jul *", "runs backwards"),
        ("*/90 * * * *", "longer than the minute field"),
        ("0 0 L * *", "not in crontab(5)"),
        ("0 0 15W * *", "not in crontab(5)"),
        ("0 0 * * 5L", "not in crontab(5)"),
        ("0 0 * * 1#2", "not in crontab(5)"),
        ("0 0 ? * 1", "Quartz"),
        ("0 0 0 1 1 * 2030", "seven"),
        ("* * * *", "4 given"),
        ("@reboot", "start-up hook"),
        ("@fortnightly", "@weekly"),
        ("", "empty"),
        ("   ", "empty"),
        ("60 * * * *", "not between 0 and 59"),
        ("* 24 * * *", "not between 0 and 23"),
        ("* * 0 * *", "not between 1 and 31"),
        ("* * * 13 *", "not between 1 and 12"),
        ("* * * * 8", "not between 0 and 7"),
        ("99999999999999999999 * * * *", "not between"),
        ("a * * * *", "not a number"),
        ("-5 * * * *", "not a number"),
        ("5- * * * *", "not a number"),
        ("1,,2 * * * *", "empty item"),
        (",1 * * * *", "empty item"),
        ("*/0 * * * *", "from 1 on"),
        ("*/-1 * * * *", "from 1 on"),
        ("*/ * * * *", "from 1 on"),
        ("*/5/5 * * * *", "from 1 on"),
        ("*5 * * * *", "not a number"),
        ("٣ * * * *", "does not know"),
        ("\x1b[2J * * * *", "does not know"),
        ("0 0 * * mondays", "not a number or a name"),
        ("* " * 300, "longer than"),
    ],
)
def test_what_is_wrong_or_reads_two_ways_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert reason in str(caught.value)
    assert caught.value.exit_status is ExitStatus.USAGE
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "0 0 2 * * 0",
        "0 30 9 * * 0",
        "*/10 * * * * *",
        "30 0 12 * * MON",
        "0 0 2 * * SUN",
        "*/5 * * * * 1-5",
        "* * * * * FRI",
    ],
)
def test_six_fields_that_are_clearly_seconds_first_are_taken(text: str) -> None:
    assert parse(text).text == text


def test_a_refused_expression_can_be_written_as_the_cure_says() -> None:
    assert parse("0 0 2 * * *") != parse("0 2 * * * SUN")
    assert values("5-59/15 * * * *", 1) == (5, 20, 35, 50)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("30 2 * * *", Kind.FIXED),
        ("*/30 2 * * *", Kind.WILDCARD),
        ("30 * * * *", Kind.WILDCARD),
        ("30 */2 * * *", Kind.WILDCARD),
        ("30 0-23 * * *", Kind.FIXED),
        ("* 30 2 * * *", Kind.FIXED),
        ("@hourly", Kind.WILDCARD),
        ("@daily", Kind.FIXED),
    ],
)
def test_a_job_is_wildcard_when_its_minute_or_hour_begins_with_a_star(text: str, kind: Kind) -> None:
    assert parse(text).kind is kind


def test_next_is_always_later_even_from_within_a_second() -> None:
    moment = datetime(2026, 1, 1, 11, 59, 59, 999_999, tzinfo=UTC)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert parse("0 12 * * *").next_after(moment, zone("UTC")) == noon
    assert parse("0 12 * * *").next_after(noon, zone("UTC")) == datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert parse("0 12 * * *").next_after(noon.replace(microsecond=1), zone("UTC")).day == 2


@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("text", ["0 0 29 2 *", "* * * * *", "30 2 * * *", "59 59 23 31 12 *"])
def test_the_end_of_the_calendar_is_the_end_of_every_expression(text: str, tz: str) -> None:
    fires = []
    with pytest.raises(ExpressionError):
        for fire in parse(text).after(datetime(9999, 12, 31, 23, 50, tzinfo=UTC), zone(tz)):
            fires.append(fire)
    assert len(fires) < 10


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        parse("* * * * *").next_after(datetime(2026, 1, 1), zone("UTC"))  # noqa: DTZ001


def test_only_one_convention_for_seconds_is_known() -> None:
    with pytest.raises(ValueError, match="from_saq"):
        parse("* * * * *", seconds="last")  # type: ignore[arg-type]


def test_between_takes_the_end_and_not_the_start_and_is_bounded() -> None:
    hour = parse("0 * * * *")
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert [fire.hour for fire in hour.between(start, end, zone("UTC"))] == [1, 2, 3]
    assert len(parse("* * * * * *").between(start, end, zone("UTC"), limit=10)) == 10


def test_expressions_are_values() -> None:
    assert parse("0 0 * * *") == parse("0 0 * * *")
    assert len({parse("0 0 * * *"), parse("0 0 * * *"), parse("0 1 * * *")}) == 2
    with pytest.raises(AttributeError):
        parse("0 0 * * *").text = "x"  # type: ignore[misc]


def test_fields_are_read_one_by_one() -> None:
    assert read_field(MINUTE, "*").full
    assert read_field(MINUTE, "0-59").full
    assert not read_field(MINUTE, "0-59").starred
    assert read_field(WEEKDAY, "*/2").values == (0, 2, 4, 6)
    assert read_field(MONTH, "feb").values == (2,)
    assert read_field(DAY, "1,1,1").values == (1,)


def test_values_are_listed_as_runs() -> None:
    assert listed((0, 1, 2, 5, 7, 8)) == "0-2,5,7,8"


def test_a_day_rule_without_restrictions_asks_nobody() -> None:
    assert DayRule(None).on_or_after(date(2026, 1, 1)) == date(2026, 1, 1)


def test_milliseconds_and_moments_go_round() -> None:
    assert epoch_ms(utc(1_795_312_800_123)) == 1_795_312_800_123


def test_zones_come_from_the_shipped_database_and_wrong_ones_name_the_nearest() -> None:
    assert {"Europe/Berlin", "UTC", "Australia/Lord_Howe"} <= zone_names()
    assert zone("Europe/Berlin") is zone("Europe/Berlin")
    assert place(zone("America/New_York")) == "New York"
    with pytest.raises(UnknownZoneError, match=r"Did you mean UTC\?"):
        zone("utc")
    with pytest.raises(UnknownZoneError, match="Europe/Berlin"):
        zone("Europe/Berlim")
    # Another zone on another host, or leap seconds.
    for wrong in ("localtime", "posixrules", "right/UTC", "posix/Europe/Berlin"):
        with pytest.raises(UnknownZoneError):
            zone(wrong)
    for wrong in ("", "../../etc/passwd", "/etc/localtime", "Nowhere", "a\0b", "Europe"):
        with pytest.raises(UnknownZoneError):
            zone(wrong)
