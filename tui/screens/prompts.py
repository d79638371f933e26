"""The prompts at the foot of a screen, and what they offer while one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from quarterdeck.model import FunctionSpec, JobState, QueueDetail
from quarterdeck.text import amount, clean
from tui.rendering.bounds import word_of
from tui.widgets.prompt import CommandLine, Completion, FilterLine, History, Prompt

if TYPE_CHECKING:
    from tui.app import Deck

TERMS: Final = (
    ("fn:", "function: fn:send_email"),
    ("q:", "queue"),
    ("key:", "job key"),
    ("arg:", "argument: arg:tenant=7"),
    ("err:", "error: err:timeout"),
    ("sig:", "signature"),
    ("worker:", "worker"),
    ("age>", "age: age>5m"),
    ("attempts>", "attempts: attempts>2"),
    ("took>", "duration: took>1s"),
    ("bytes>", "size of the payload: bytes>10kb"),
    ("NOT ", "none of these"),
    ("OR ", "one or the other"),
    ("~", r"regular expression: ~smtp:\d+"),
)
"""What a filter is made of, as it is offered."""

_QUEUED: Final = {"queues", "jobs", "failures", "schedules", "workers", "logs", "metrics", "enqueue", "retention"}
_MOST: Final = 20
_histories: Final = {"command": History(), "filter": History()}


def prompt_for(deck: Deck, kind: str, *, filtered: bool) -> Prompt:
    """A new prompt: `command`, or `filter` (with the terms of the grammar where the screen takes it)."""
    id_ = f"{kind}-prompt"
    if kind == "command":
        return CommandLine(completer=lambda text: complete_command(deck, text), history=_histories[kind], id=id_)
    completer = (lambda text: complete_filter(deck, text)) if filtered else None
    return FilterLine(completer=completer, history=_histories[kind], id=id_)


def complete_command(deck: Deck, text: str) -> Sequence[Completion]:
    """What a command line could become: commands first, then queues, functions, states and arguments."""
    word, space, rest = text.partition(" ")
    if not space:
        return [
            Completion(f"{verb} " if command.usage else verb, verb, command.help())
            for command in deck.commands.values()
            for verb in command.verbs[:1]
            if verb.startswith(word) and deck.station.allows(command.needs(deck)) and command.offered(deck)
        ][:_MOST]
    head, _, last = rest.rpartition(" ")
    before = f"{word} {head} " if head else f"{word} "
    found = [*_queues(deck, word, last), *_states(word, last)]
    if word == "enqueue":
        found += _arguments(deck, head, last) if head else _functions(deck, last)
    if word == "retention":
        found += _bounds(deck)
    if word == "traffic":
        found += [(it, "") for it in ("up", "down", "off")]
    return [Completion(before + it, it, said) for it, said in found if it.startswith(last)][:_MOST]


def complete_filter(deck: Deck, text: str) -> Sequence[Completion]:
    """What the last word of a filter could become."""
    head, _, last = text.rpartition(" ")
    before = f"{head} " if head else ""
    found: list[tuple[str, str]] = []
    if last.startswith("fn:"):
        found = [(f"fn:{spec.name}", spec.doc) for spec in _specs(deck)]
    elif last.startswith("q:"):
        found = [(f"q:{name}", "queue") for name in _queue_names(deck)]
    else:
        found = list(TERMS)
    return [Completion(before + it, it, clean(said, 80)) for it, said in found if it.startswith(last) and it != last][
        :_MOST
    ]


def _specs(deck: Deck) -> tuple[FunctionSpec, ...]:
    return deck.functions


def _queue_names(deck: Deck) -> list[str]:
    return [queue.name for queue in deck.snapshot.queues] if deck.snapshot else []


def _queues(deck: Deck, word: str, last: str) -> Iterable[tuple[str, str]]:
    return [(f"@{name}", "queue") for name in _queue_names(deck)] if word in _QUEUED and last.startswith("@") else []


def _states(word: str, last: str) -> Iterable[tuple[str, str]]:
    return [(str(state), "state") for state in JobState] if word == "jobs" and not last.startswith("@") else []


def _bounds(deck: Deck) -> list[tuple[str, str]]:
    """The bounds of the queue whose screen this is."""
    detail = deck.snapshot.detail if deck.snapshot else None
    bounds = detail.bounds if isinstance(detail, QueueDetail) else ()
    return [(f"{word_of(bound)} ", f"now {amount(bound.limit, bound.unit)}") for bound in bounds]


def _functions(deck: Deck, last: str) -> list[tuple[str, str]]:
    return [(f"{spec.name} ", spec.doc) for spec in _specs(deck) if spec.name.startswith(last)]


def _arguments(deck: Deck, head: str, last: str) -> list[tuple[str, str]]:
    spec = next((it for it in _specs(deck) if it.name == head.split(maxsplit=1)[0]), None)
    given = {pair.partition("=")[0] for pair in head.split()[1:]}
    if spec is None:
        return []
    return [
        (f"{parameter.name}=", parameter.type if parameter.required else f"{parameter.type} = {parameter.default}")
        for parameter in spec.parameters
        if parameter.name not in given and "=" not in last
    ]
