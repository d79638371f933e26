"""Expressions in words, and SAQ's expressions in our notation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from croniter import croniter

from quarterdeck.schedule.expression import Kind, parse
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.saq_cron import from_saq
from quarterdeck.schedule.words import describe
from quarterdeck.schedule.zones import zone

BERLIN = zone("Europe/Berlin")
UTC_ZONE = zone("UTC")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30 2 * * 1-5", "every weekday at 02:30 Berlin"),
        ("30 2 * * *", "every day at 02:30 Berlin"),
        ("@daily", "every day at 00:00 Berlin"),
        ("@weekly", "every Sunday at 00:00 Berlin"),
        ("0 9,13,17 * * *", "every day at 09:00, 13:00 and 17:00 Berlin"),
        ("*/15 * * * *", "every 15 minutes Berlin"),
        ("* * * * *", "every minute Berlin"),
        ("* * * * * *", "every second Berlin"),
        ("*/10 * * * * *", "every 10 seconds Berlin"),
        ("@hourly", "every hour Berlin"),
        ("5 * * * *", "every hour at :05 Berlin"),
        ("30 5 * * * *", "every hour at :05:30 Berlin"),
        ("0 */2 * * *", "every 2 hours Berlin"),
        ("10 */6 * * *", "every day at 00:10, 06:10, 12:10 and 18:10 Berlin"),
        ("10 */3 * * *", "every 3 hours at :10 Berlin"),
        ("5 9-17 * * 1-5", "every hour at :05 from 09:00 to 17:59 every weekday Berlin"),
        ("*/5 9-17 * * *", "every 5 minutes from 09:00 to 17:59 Berlin"),
        ("* 2 * * *", "every minute from 02:00 to 02:59 Berlin"),
        ("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 Berlin"),
        ("15 * * * * *", "every minute at second 15 Berlin"),
        ("*/5 30 2 * * *", "every 5 seconds of 02:30 Berlin"),
        ("1,2 0 9,17 29 2 *", "at seconds 1 and 2 of 09:00 and 17:00 on the 29th of February Berlin"),
        ("0 1-7,9 * * *", "at :00 of hours 1-7 and 9 Berlin"),
        ("*/20 1,5,9 * * *", "every 20 minutes of hours 1, 5 and 9 Berlin"),
        ("30 0 2 * * *", "every day at 02:00:30 Berlin"),
        ("@monthly", "on the 1st of the month at 00:00 Berlin"),
        ("0 0 1,15 3 *", "on the 1st and 15th of March at 00:00 Berlin"),
        ("0 0 2,3,11,22,23 * *", "on the 2nd, 3rd, 11th, 22nd and 23rd of the month at 00:00 Berlin"),
        ("0 0 */2 * *", "on every 2nd day of the month at 00:00 Berlin"),
        ("0 0 1-10,20 * *", "on days 1-10 and 20 of the month at 00:00 Berlin"),
        ("0 0 13 * 5", "on the 13th of the month and every Friday at 00:00 Berlin"),
        ("0 0 13 6 5", "on the 13th of June and every Friday in June at 00:00 Berlin"),
        ("0 0 */10 * 1,5", "on the 1st, 11th, 21st and 31st of the month if it is a Monday or Friday at 00:00 Berlin"),
        ("0 12 * 6-8 mon,sun", "every Monday and Sunday in June to August at 12:00 Berlin"),
        ("0 12 * 6 *", "every day in June at 12:00 Berlin"),
        ("0 0 * * sat,sun", "every Saturday and Sunday at 00:00 Berlin"),
        ("0 0 1-31 * 1", "every day at 00:00 Berlin"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert describe(parse(text), BERLIN) == words


def test_words_name_the_zone() -> None:
    assert describe(parse("@daily"), UTC_ZONE) == "every day at 00:00 UTC"
    assert describe(parse("@daily"), zone("America/Argentina/Buenos_Aires")).endswith("Buenos Aires")


@pytest.mark.parametrize(
    ("theirs", "shown"),
    [
        ("30 2 * * 1-5", "30 2 * * 1-5"),
        ("@daily", "0 0 * * *"),
        # Seconds move to the front.
        ("0 2 * * * 30", "30 0 2 * * *"),
        ("* * * * * */5", "*/5 * * * * *"),
        ("0 2 * * * 0", "0 2 * * *"),
        ("30 2 * * 0 15", "15 30 2 * * SUN"),
        # What we refuse as readable in two ways is spelled out.
        ("22-2 0 * * *", "0-2,22-59 0 * * *"),
        ("5/15 * * * *", "5,20,35,50 * * * *"),
        ("59/15 * * * *", "59 * * * *"),
        ("0 0 * * fri-mon", "0 0 * * 0,1,5,6"),
        ("0 0 * * 1-1", "0 0 * * *"),
        ("0 0 ? * 1", "0 0 * * 1"),
        # croniter ORs a stepped star, crontab(5) ANDs it.
        ("0 0 */10 * 1", "0 0 1,11,21,31 * 1"),
        ("0 0 1-31 * 1", "0 0 1-31 * 1"),
        ("0 0 13 * 0-6", "0 0 13 * 0-6"),
        ("0 0 */1 * 1-7", "0 0 */1 * *"),
        # What crontab(5) has no words for stays croniter's.
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * 1#2", "0 0 * * 1#2"),
        ("0 0 15w * *", "0 0 15W * *"),
        ("0 9 L * * 30", "30 0 9 L * *"),
    ],
)
def test_saqs_expressions_keep_croniters_meaning_and_are_shown_converted(theirs: str, shown: str) -> None:
    expression = from_saq(theirs)
    assert expression.text == shown
    moment = datetime(2026, 3, 3, 3, 3, 3, tzinfo=UTC)
    chain = croniter(theirs, moment)
    assert expression.upcoming(moment, UTC_ZONE, 12) == [chain.get_next(datetime) for _ in range(12)]


@pytest.mark.parametrize("theirs", ["22-2 0 * * *", "0 0 */10 * 1", "0 2 * * * 30", "30 2 * * 0 15", "0 0 1-31 * 1"])
def test_what_is_shown_means_the_same_when_it_is_typed_in(theirs: str) -> None:
    moment = datetime(2026, 3, 3, tzinfo=UTC)
    expression = from_saq(theirs)
    assert parse(expression.text).upcoming(moment, UTC_ZONE, 20) == expression.upcoming(moment, UTC_ZONE, 20)


def test_a_year_is_croniters_and_a_past_one_never_fires() -> None:
    expression = from_saq("0 0 1 1 * 0 2035")
    assert expression.next_after(datetime(2026, 1, 1, tzinfo=UTC), UTC_ZONE) == datetime(2035, 1, 1, tzinfo=UTC)
    with pytest.raises(ExpressionError, match="can never fire"):
        from_saq("0 0 1 1 * 0 2020")


def test_foreign_days_are_told_as_they_are() -> None:
    assert describe(from_saq("0 0 L * *"), BERLIN) == "on days 'L * *' at 00:00 Berlin"


def test_daylight_saving_follows_cron_for_saqs_expressions_too() -> None:
    assert from_saq("*/5 * * * *").kind is Kind.WILDCARD
    assert from_saq("30 2 * * *").kind is Kind.FIXED
    moment = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    assert from_saq("30 2 * * *").next_after(moment, BERLIN).astimezone(BERLIN).hour == 3


@pytest.mark.parametrize("wrong", ["x", "", "* * * *", "61 * * * *", "0 0 30 2 *", "h h * * *", "* " * 400])
def test_what_croniter_refuses_or_can_never_fire_is_refused(wrong: str) -> None:
    with pytest.raises(ExpressionError):
        from_saq(wrong)
