"""Asking before doing: the cards of the deck, each as a function that returns the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from quarterdeck.errors import UsageError
from quarterdeck.model import BlastCard, Pace, Tally, Verb
from quarterdeck.text import count_of, human_age, human_count, human_duration
from tui.rendering.moment import Moment
from tui.widgets.cell import Cell
from tui.widgets.dialog import Card, Confirmed, Field
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from tui.app import Deck

_SPAN: Final = re.compile(r"(?P<count>\d{1,6}(?:\.\d{1,3})?)\s*(?P<unit>s|m|min|h|d)?", re.IGNORECASE)
_UNIT_S: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
FOREVER: Final = "forever"


@contextmanager
def holding(deck: Deck) -> Iterator[None]:
    """Keep the rows where they are while something is asked about them."""
    grids = list(deck.deck_screen.query(Grid))
    for grid in grids:
        grid.hold = True
    try:
        yield
    finally:
        for grid in grids:
            grid.hold = False


async def ask(deck: Deck, card: Card) -> Confirmed | None:
    """Show a card; None when it was cancelled."""
    with holding(deck):
        return await deck.push_screen_wait(card)


async def confirm(deck: Deck, title: str, *lines: str, yes: str = "OK", danger: bool = False) -> bool:
    """Ask a yes or no question; Cancel has the focus."""
    return await ask(deck, Card(title, lines, (("yes", yes),), danger=danger)) is not None


async def ask_text(deck: Deck, title: str, label: str, value: str = "", hint: str = "", yes: str = "OK") -> str | None:
    """Ask for one line; None when cancelled."""
    card = Card(title, (), (("yes", yes),), fields=(Field("text", label, value, hint, not_empty),), fill_in=True)
    answer = await ask(deck, card)
    return None if answer is None else answer.values["text"].strip()


async def ask_pause(deck: Deck, title: str, *lines: str) -> tuple[float | None, str] | None:
    """Ask for how long (seconds, None for ever) and why; None when cancelled."""
    fields = (
        Field("span", "for how long", "1h", "30m, 2h, 1d or forever", wrong_span),
        Field("reason", "why        ", "", "others will read this"),
    )
    answer = await ask(deck, Card(title, lines, (("pause", "Pause"),), fields=fields, fill_in=True))
    if answer is None:
        return None
    return span_s(answer.values["span"]), answer.values["reason"].strip()


async def ask_blast(deck: Deck, cards: Sequence[BlastCard], *, paced: bool) -> tuple[Pace, str] | None:
    """Show what an act would do and ask how: the pace and the reason, or None when cancelled.

    With more jobs than the environment's bound, or in a protected one, the count must be typed.
    """
    card = merged(cards)
    typed = deck.station.protected or card.count > deck.station.confirm_above
    word = str(card.verb).replace("-", " ")
    fields = [Field("reason", "why       ", "", "for the audit")]
    verbs = [("all", f"{word.capitalize()} {human_count(card.count)}")]
    if paced and card.count > 1:
        fields.append(Field("per_s", "per second", "10", "for paced and canary", wrong_rate))
        verbs += [("paced", "Paced"), ("canary", "Canary first")]
    shown = Card(
        f"{deck.station.name}: {word} {count_of(card.count, 'job')}?",
        blast_lines(card, deck.moment()),
        verbs,
        fields=fields,
        type_this=str(card.count) if typed and card.count > 1 else "",
        danger=card.verb is Verb.DELETE or not card.reversible,
    )
    answer = await ask(deck, shown)
    if answer is None:
        return None
    rate = float(answer.values["per_s"]) if answer.verb != "all" else 0.0
    return Pace(mode=answer.verb, per_s=rate), answer.values["reason"].strip()


async def ask_retention(deck: Deck, queue: str, values: Mapping[str, str], dropped: Sequence[Tally]) -> str | None:
    """Show what new bounds would drop and ask why; None when cancelled.

    With more than the environment's bound, or in a protected one, the count must be typed.
    """
    moment, count = deck.moment(), sum(tally.count for tally in dropped)
    lines: list[str | Cell] = [moment.text(f"{name} {value}", 60) for name, value in values.items()]
    lines += [Cell(f"drops {human_count(tally.count)} {tally.name}, the oldest", "warn") for tally in dropped]
    shown = Card(
        f"{deck.station.name}: keep less of {moment.text(queue, 60)}?",
        [*lines, Cell("What is dropped does not come back.", "bad")],
        (("set", f"Drop {human_count(count)}"),),
        fields=(Field("reason", "why       ", "", "for the audit"),),
        type_this=str(count) if deck.station.protected or count > deck.station.confirm_above else "",
        danger=True,
    )
    answer = await ask(deck, shown)
    return None if answer is None else answer.values["reason"].strip()


def merged(cards: Sequence[BlastCard]) -> BlastCard:
    """Several cards of one act as one."""
    first = cards[0]
    if len(cards) == 1:
        return first
    drains = [card.drain_s for card in cards if card.drain_s is not None]
    return BlastCard(
        verb=first.verb,
        count=sum(card.count for card in cards),
        exact=all(card.exact for card in cards),
        functions=_summed(tally for card in cards for tally in card.functions),
        queues=_summed(tally for card in cards for tally in card.queues),
        oldest_ms=min((card.oldest_ms for card in cards if card.oldest_ms), default=None),
        newest_ms=max((card.newest_ms for card in cards if card.newest_ms), default=None),
        sample=tuple(line for card in cards for line in card.sample)[:3],
        drain_s=sum(drains) if drains else None,
        reversible=all(card.reversible for card in cards),
        warnings=tuple(dict.fromkeys(line for card in cards for line in card.warnings)),
        command="; ".join(card.command for card in cards),
    )


def _summed(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    counts: dict[str, int] = {}
    for tally in tallies:
        counts[tally.name] = counts.get(tally.name, 0) + tally.count
    return tuple(Tally(name=name, count=count) for name, count in sorted(counts.items(), key=lambda it: -it[1]))


def blast_lines(card: BlastCard, moment: Moment) -> list[str | Cell]:
    """What an act would do: exact count, functions, queues, ages, a sample, how long it would take."""
    about = "" if card.exact else "at least "
    ages = [human_age(moment.age_ms(at)) for at in (card.oldest_ms, card.newest_ms) if at]
    drain = (
        "" if card.drain_s is None else f"through in about {human_duration(card.drain_s * 1000)} at the present rate"
    )
    facts = (
        ("jobs", f"{about}{human_count(card.count)}"),
        ("functions", tally_text(card.functions)),
        ("queues", tally_text(card.queues)),
        ("age", f"oldest {ages[0]}, newest {ages[-1]}" if ages else ""),
        ("drain", drain),
        ("undo", "" if card.reversible else "this can't be undone"),
    )
    lines: list[str | Cell] = [
        Cell(runs=((f"{name:<10}", "muted"), (moment.text(value, 100), "bad" if name == "undo" else "")))
        for name, value in facts
        if value
    ]
    lines += [
        Cell(runs=((f"{'such as' if at == 0 else '':<10}", "muted"), (moment.text(line, 90), "muted")))
        for at, line in enumerate(card.sample[:3])
    ]
    lines += [Cell(moment.text(line), "warn") for line in card.warnings]
    return lines


def tally_text(tallies: Sequence[Tally], most: int = 3) -> str:
    """`send_email 532, export_csv 3 and 4 more`."""
    shown = ", ".join(f"{tally.name} {human_count(tally.count)}" for tally in tallies[:most])
    rest = len(tallies) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def span_s(text: str) -> float | None:
    """`30m` → 1800.0; `forever` → None. Only for text that `wrong_span` has nothing against."""
    text = text.strip().lower()
    found = _SPAN.fullmatch(text)
    if text == FOREVER or found is None:
        return None
    return float(found["count"]) * _UNIT_S[(found["unit"] or "m").lower()]


def wrong_span(text: str) -> str:
    """What is wrong with a time span, or nothing."""
    text = text.strip().lower()
    if text == FOREVER:
        return ""
    found = _SPAN.fullmatch(text)
    return "" if found and float(found["count"]) > 0 else "write 30m, 2h, 1d or forever"


def past_moment(text: str, now_ms: int, zone: tzinfo) -> int:
    """`5m` ago, `30s` ago, or the last `03:04` (`03:04:10`) on the viewer's clock, as epoch ms. Raises UsageError."""
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        span = None if wrong_span(text) else span_s(text)
        if span is None:
            raise UsageError(f"'{text[:40]}' is no moment in the past.", "Write 5m, 30s, 2h or 03:04.")
        return now_ms - int(span * 1000)
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    hour, minute, second = (int(part or 0) for part in clock.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise UsageError(f"'{text}' is no time of day.", "Write it as 03:04.")
    at = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return int((at if at <= now else at - timedelta(days=1)).timestamp() * 1000)


def wrong_rate(text: str) -> str:
    """What is wrong with a rate per second, or nothing."""
    try:
        rate = float(text)
    except ValueError:
        return "write a number"
    return "" if 0 < rate <= 100_000 else "write a number above 0"


def not_empty(text: str) -> str:
    """What is wrong with an empty line."""
    return "" if text.strip() else "write something"
