"""Editing a failed job's arguments before it is retried, and setting jobs aside by what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.errors import UsageError
from quarterdeck.model import FailureGroup, FunctionSpec, JobDetail, JobRow, Outcome
from quarterdeck.text import clean
from tui.screens.asking import ask, holding
from tui.screens.enqueuing import JobForm, JobRequest
from tui.screens.listscreen import ref_of
from tui.screens.places import view_of
from tui.widgets.dialog import Card, Field

if TYPE_CHECKING:
    from tui.app import Deck


async def edit_and_retry(deck: Deck, *, editor: bool = False) -> None:
    """Open a failed job's arguments in the form, with `editor` in the operator's own editor at once; secrets that are
    left as they are (`***`) keep their value.
    """
    target = deck.deck_screen.targets()[0]
    view = view_of(target)
    if not isinstance(target, JobRow) or view is None:
        return
    detail = (await deck.read(view)).detail
    if not isinstance(detail, JobDetail):
        raise UsageError(f"The job {target.key} is gone.")
    arguments = detail.document.get("kwargs") or {}
    if detail.cut_bytes or not isinstance(arguments, dict):
        raise UsageError("The arguments can't be edited here: they are too large or can't be read.")
    known = next((spec for spec in deck.functions if spec.name == target.function), None)
    spec = known or FunctionSpec(name=target.function, accepts_any=True)
    ref = ref_of(detail.row)

    async def send(request: JobRequest) -> Outcome:
        return await deck.perform(lambda it: it.edit_and_retry(ref, request.arguments))

    form = JobForm(
        f"Edit and retry {target.key}",
        (spec,),
        (target.queue,),
        send,
        function=target.function,
        values=arguments,
        queue=target.queue,
        verb="Retry",
        fixed=True,
        editor=editor,
    )
    with holding(deck):
        await deck.push_screen_wait(form)


async def set_aside(deck: Deck) -> None:
    """Ask what the jobs to be set aside have in common, filled in from the group or job under the cursor."""
    target = deck.deck_screen.targets()[0]
    if isinstance(target, FailureGroup):
        error = target.exception
    elif isinstance(target, JobRow):
        error = target.error.partition(":")[0]
    else:
        return
    fields = (
        Field("function", "function", target.function, "", lambda text: "" if text.strip() else "name a function"),
        Field("argument", "argument", "", "name=value, a part of the JSON, or any"),
        Field("error", "error   ", error, "a part of it, or any"),
        Field("reason", "why     ", "", "others will read this"),
    )
    lines = (
        f"Jobs of {clean(target.queue, 24)} that match, waiting or coming later, are",
        "set aside and counted while the queue flows; see :quarantine.",
        "With an error: those that failed with it before and come again.",
        "Without one: all that match, before their first run.",
    )
    answer = await ask(deck, Card("Set jobs aside?", lines, (("aside", "Set aside"),), fields=fields))
    if answer is None:
        return
    given = {name: value.strip() for name, value in answer.values.items()}
    await deck.perform(
        lambda it: it.quarantine(
            target.queue,
            function=given["function"],
            argument=given["argument"],
            error=given["error"],
            reason=given["reason"],
        )
    )
