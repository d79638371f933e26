"""The daylight-saving table: what each kind of job does when a zone's clock skips or repeats some time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quarterdeck.schedule.expression import parse
from quarterdeck.schedule.zones import zone

# zone, expression, from (wall clock), the fires as wall clock and offset
TABLE = [
    # Berlin, 29 March 2026: 02:00 → 03:00
    ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 02:30+0200"]),
    ("Europe/Berlin", "0,30 2 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 02:00+0200"]),
    ("Europe/Berlin", "30 2,3 * * *", "2026-03-28T12:00", ["29 03:00+0200", "29 03:30+0200", "30 02:30+0200"]),
    ("Europe/Berlin", "0 2,3 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 02:00+0200"]),
    ("Europe/Berlin", "*/30 2 * * *", "2026-03-28T12:00", ["30 02:00+0200", "30 02:30+0200"]),
    ("Europe/Berlin", "30 * * * *", "2026-03-29T01:00", ["29 01:30+0100", "29 03:30+0200"]),
    ("Europe/Berlin", "30 */2 * * *", "2026-03-29T00:00", ["29 00:30+0100", "29 04:30+0200"]),
    ("Europe/Berlin", "15 30 2 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 02:30+0200"]),
    # Berlin, 25 October 2026: 03:00 → 02:00
    ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", ["25 02:30+0200", "26 02:30+0100"]),
    ("Europe/Berlin", "30 1-3 * * *", "2026-10-25T00:00", ["25 01:30+0200", "25 02:30+0200", "25 03:30+0100"]),
    ("Europe/Berlin", "30 * * * *", "2026-10-25T02:00", ["25 02:30+0200", "25 02:30+0100", "25 03:30+0100"]),
    ("Europe/Berlin", "*/30 2 * * *", "2026-10-25T01:00",
     ["25 02:00+0200", "25 02:30+0200", "25 02:00+0100", "25 02:30+0100", "26 02:00+0100"]),
    ("Europe/Berlin", "0 3 * * *", "2026-10-24T12:00", ["25 03:00+0100"]),
    # Dublin calls its winter time the saved one; the clock does the same as London's.
    ("Europe/Dublin", "30 1 * * *", "2026-03-28T12:00", ["29 02:00+0100", "30 01:30+0100"]),
    ("Europe/Dublin", "30 1 * * *", "2026-10-24T12:00", ["25 01:30+0100", "26 01:30+0000"]),
    # New York
    ("America/New_York", "30 2 * * *", "2026-03-07T12:00", ["08 03:00-0400", "09 02:30-0400"]),
    ("America/New_York", "30 1 * * *", "2026-10-31T12:00", ["01 01:30-0400", "02 01:30-0500"]),
    ("America/New_York", "*/30 1 * * *", "2026-10-31T12:00",
     ["01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500"]),
    # Lord Howe moves by half an hour: 02:00 → 02:30 on 4 October, 02:00 → 01:30 on 5 April 2026
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00", ["04 02:30+1100", "05 02:15+1100"]),
    ("Australia/Lord_Howe", "*/15 2 * * *", "2026-10-03T12:00", ["04 02:30+1100", "04 02:45+1100", "05 02:00+1100"]),
    ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00", ["05 01:45+1100", "06 01:45+1030"]),
    ("Australia/Lord_Howe", "*/15 1 * * *", "2026-04-05T01:20",
     ["05 01:30+1100", "05 01:45+1100", "05 01:30+1030", "05 01:45+1030", "06 01:00+1030"]),
    ("Australia/Lord_Howe", "0 * * * *", "2026-04-05T00:30", ["05 01:00+1100", "05 02:00+1030", "05 03:00+1030"]),
    # São Paulo, 4 November 2018: midnight is missing; 18 February 2018: 00:00 → 23:00 the day before
    ("America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00", ["04 01:00-0200", "05 00:00-0200"]),
    ("America/Sao_Paulo", "30 0 4 11 *", "2018-11-03T12:00", ["04 01:00-0200", "04 00:30-0300"]),
    ("America/Sao_Paulo", "*/30 0 * * *", "2018-11-03T12:00", ["05 00:00-0200", "05 00:30-0200"]),
    ("America/Sao_Paulo", "0 * * * 0", "2018-11-03T12:00", ["04 01:00-0200", "04 02:00-0200"]),
    ("America/Sao_Paulo", "30 23 * * *", "2018-02-17T12:00", ["17 23:30-0200", "18 23:30-0300"]),
    ("America/Sao_Paulo", "30 * * * *", "2018-02-17T22:45", ["17 23:30-0200", "17 23:30-0300", "18 00:30-0300"]),
    # Apia had no 30 December 2011
    ("Pacific/Apia", "0 * * * *", "2011-12-29T22:30", ["29 23:00-1000", "31 00:00+1400", "31 01:00+1400"]),
    ("Pacific/Apia", "* * * * 5", "2011-12-29T12:00", ["06 00:00+1400", "06 00:01+1400"]),
    ("Pacific/Apia", "30 12 * * *", "2011-12-29T13:00", ["31 00:00+1400", "31 12:30+1400", "01 12:30+1400"]),
    ("Pacific/Apia", "0 0 * * *", "2011-12-29T13:00", ["31 00:00+1400", "01 00:00+1400"]),
    ("Pacific/Apia", "30 12 29 12 *", "2011-12-29T00:00", ["29 12:30-1000", "29 12:30+1400"]),
    # Troll moves by two hours: 01:00 → 03:00 and 03:00 → 01:00
    ("Antarctica/Troll", "30 1,2 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 01:30+0200"]),
    ("Antarctica/Troll", "30 1,2 * * *", "2026-10-24T12:00", ["25 01:30+0200", "25 02:30+0200", "26 01:30+0000"]),
    ("Antarctica/Troll", "30 * * * *", "2026-10-25T01:00",
     ["25 01:30+0200", "25 02:30+0200", "25 01:30+0000", "25 02:30+0000"]),
    # Beirut skips midnight
    ("Asia/Beirut", "0 0 * * *", "2026-03-28T12:00", ["29 01:00+0300", "30 00:00+0300"]),
    # Havana repeats midnight's hour
    ("America/Havana", "30 0 * * *", "2024-11-02T12:00", ["03 00:30-0400", "04 00:30-0500"]),
    # Kathmandu never changes
    ("Asia/Kathmandu", "30 2 * * *", "2026-03-28T12:00", ["29 02:30+0545", "30 02:30+0545"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "since", "expected"), TABLE)
def test_the_table(name: str, text: str, since: str, expected: list[str]) -> None:
    tz = zone(name)
    moment = datetime.fromisoformat(since).replace(tzinfo=tz)
    found = parse(text).upcoming(moment, tz, len(expected))
    assert [f"{fire.astimezone(tz):%d %H:%M%z}" for fire in found] == expected


def test_the_table_has_six_zones_and_more() -> None:
    assert len({row[0] for row in TABLE}) >= 6


def test_asked_within_the_repeated_hour_the_answer_is_never_in_the_past() -> None:
    tz = zone("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    for minutes in range(0, 181, 7):
        moment = first + timedelta(minutes=minutes)
        for text in ("30 2 * * *", "*/30 2 * * *", "0 2,3 * * *", "* * * * *"):
            assert parse(text).next_after(moment, tz) > moment


def test_a_fixed_time_is_over_in_the_second_pass() -> None:
    tz = zone("Europe/Berlin")
    second_pass = datetime(2026, 10, 25, 2, 10, tzinfo=tz, fold=1)
    assert parse("30 2 * * *").next_after(second_pass, tz).astimezone(tz).day == 26
    assert parse("30 2-3 * * *").next_after(second_pass, tz).astimezone(tz).hour == 3


def test_every_second_of_a_repeated_hour_counts_for_wildcards_and_once_for_fixed_times() -> None:
    tz = zone("Europe/Berlin")
    start = datetime(2026, 10, 25, 1, 59, 59, tzinfo=tz).astimezone(UTC)
    end = datetime(2026, 10, 25, 3, 0, 0, tzinfo=tz).astimezone(UTC)
    assert len(parse("* * * * * *").between(start, end, tz, limit=9000)) == 7201
    assert len(parse("* 0-59 2 * * *").between(start, end, tz, limit=9000)) == 3600


def test_old_offsets_with_seconds_do_not_mislead() -> None:
    tz = zone("Europe/Amsterdam")
    moment = datetime(1916, 4, 30, 12, tzinfo=tz)
    fires = parse("30 0 * * *").upcoming(moment, tz, 2)
    assert [f"{fire.astimezone(tz):%d %H:%M}" for fire in fires] == ["01 01:00", "02 00:30"]
