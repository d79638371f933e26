"""What the API takes in its bodies; a field that is not known is refused by name."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from quarterdeck.model import Pace, Selection, Verb


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of bodies."""


class EnqueueBody(_Body, frozen=True, kw_only=True):
    """A job to enqueue."""

    queue: str
    function: str
    arguments: dict[str, Any] = {}
    key: str | None = None
    delay_s: Annotated[float, msgspec.Meta(ge=0)] = 0


class ActBody(_Body, frozen=True, kw_only=True):
    """An act on jobs; with `dry_run` its preview."""

    verb: Verb
    selection: Selection
    reason: str = ""
    pace: Pace | None = None
    dry_run: bool = False


class UndoBody(_Body, frozen=True, kw_only=True):
    """The act to undo; empty: one's own newest."""

    act: str = ""


class PauseBody(_Body, frozen=True, kw_only=True):
    """For how long (None: until resumed), and why."""

    for_s: Annotated[float, msgspec.Meta(gt=0)] | None = 3600
    reason: str = ""


class RunBody(_Body, frozen=True, kw_only=True):
    """Other arguments for one run of a schedule."""

    arguments: dict[str, Any] | None = None
