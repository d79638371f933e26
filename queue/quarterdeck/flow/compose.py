"""Chains, groups, chords, branches and sagas: descriptions of what follows what, compiled into steps that know it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.flow.step import Follow, Join, Step


class Chain(msgspec.Struct, frozen=True):
    """Parts one after the other; each takes the result of the one before it."""

    parts: tuple[Any, ...]


class Group(msgspec.Struct, frozen=True):
    """Parts side by side; what comes after takes the list of their results, in the order of the parts."""

    parts: tuple[Any, ...]


class Branch(msgspec.Struct, frozen=True):
    """A step, and what its result chooses."""

    chooser: Step
    cases: Mapping[str, Any]
    otherwise: Any = None


class Saga(msgspec.Struct, frozen=True):
    """Steps with what undoes them."""

    pairs: tuple[tuple[Step, Step | None], ...]


Flow: TypeAlias = Step | Chain | Group | Branch | Saga


def chain(*parts: Flow) -> Chain:
    """Run parts one after the other. The result of each becomes the first argument that the next one leaves open.

    A step that fails for good stops the chain; retrying it, from the dashboard say, goes on with it.
    """
    return Chain(_parts("chain", parts))


def group(*parts: Flow) -> Group:
    """Run parts side by side. In a chain, what comes after takes the list of their results.

    A part that fails holds up what comes after until it is retried and completes.
    """
    return Group(_parts("group", parts))


def chord(parts: Sequence[Flow], then: Flow) -> Chain:
    """Run parts side by side, and `then` with the list of their results: `chain(group(*parts), then)`."""
    return Chain((Group(_parts("chord", tuple(parts))), then))


def branch(chooser: Step, cases: Mapping[Any, Flow], *, otherwise: Flow | None = None) -> Branch:
    """Run `chooser`, then the case that its result names: its text, or `true` and `false`, is the case's key.

    The case takes the chooser's result if it leaves an argument open. Without a matching case `otherwise` follows;
    without that, what comes after the branch.
    """
    return Branch(chooser, {case_of(name): flow for name, flow in cases.items()}, otherwise)


def saga(*pairs: tuple[Step, Step | None]) -> Saga:
    """Run steps one after the other, each with the step that undoes it, or None.

    When one fails for good, or is aborted while it runs, those before it are undone, the latest first; an undoing step
    takes the result of the step that it undoes. The failed step itself is taken to have done nothing.
    """
    if not pairs:
        raise UsageError("A saga needs at least one pair of steps.")
    return Saga(pairs)


def case_of(result: Any) -> str:
    """The name of the case that a result chooses."""
    if result is None or isinstance(result, bool):
        return str(result).lower()
    return str(result) if isinstance(result, str | int | float) else ""


def compiled(flow: Flow) -> list[Step]:
    """The steps to enqueue first; each carries what follows it. Every step has a key."""
    return _compile(flow, Follow())


def _compile(flow: Flow, follow: Follow) -> list[Step]:
    """Steps that start `flow`, with `follow` after its end."""
    if isinstance(flow, Step):
        return [_keyed(flow, follow)]
    if isinstance(flow, Chain):
        steps: list[Step] = []
        for part in reversed(flow.parts):
            steps = _compile(part, follow)
            follow = Follow(then=steps)
        return steps
    if isinstance(flow, Group):
        return _compile_group(flow, follow)
    if isinstance(flow, Branch):
        return [_keyed(flow.chooser, _choice(flow, follow))]
    return _compile_saga(flow, follow)


def _compile_group(flow: Group, follow: Follow) -> list[Step]:
    if follow.join is not None:
        raise UsageError("A group can't end inside another group.", "Put a step after it that takes its results.")
    if follow.failed or follow.cases:
        raise UsageError("A group can't be a saga's or a branch's step.", "Put it into a chain.")
    name = uuid.uuid4().hex
    home = follow.then[0].queue if follow.then else _first(flow).queue
    then = [msgspec.structs.replace(step, of=f"group:{name}") for step in follow.then]
    steps: list[Step] = []
    for index, part in enumerate(flow.parts):
        join = Join(queue=home, group=name, index=index, size=len(flow.parts), then=then)
        steps += _compile(part, Follow(join=join))
    return steps


def _choice(flow: Branch, follow: Follow) -> Follow:
    cases = {name: _compile(case, follow) for name, case in flow.cases.items()}
    if flow.otherwise is not None:
        return Follow(cases=cases, then=_compile(flow.otherwise, follow))
    return Follow(cases=cases, then=follow.then, failed=follow.failed, join=follow.join)


def _compile_saga(flow: Saga, follow: Follow) -> list[Step]:
    done = [_keyed(do, None) for do, _ in flow.pairs]
    undoing: list[list[Step]] = []
    steps: list[Step] = []
    for do, (_, undo) in zip(done, flow.pairs, strict=True):
        undoing.append(steps)
        if undo is not None:
            steps = [msgspec.structs.replace(_keyed(undo, Follow(then=steps) if steps else None), of=do.key)]
    after = follow
    for do, failed in zip(reversed(done), reversed(undoing), strict=True):
        do.follow = Follow(then=after.then, cases=after.cases, join=after.join, failed=failed or after.failed)
        after = Follow(then=[do])
    return done[:1]


def _keyed(step: Step, follow: Follow | None) -> Step:
    kept = follow if follow is not None and follow != Follow() else None
    return msgspec.structs.replace(step, key=step.key or uuid.uuid4().hex, follow=kept)


def _first(flow: Flow) -> Step:
    while not isinstance(flow, Step):
        if isinstance(flow, Branch):
            flow = flow.chooser
        elif isinstance(flow, Saga):
            flow = flow.pairs[0][0]
        else:
            flow = flow.parts[0]
    return flow


def _parts(kind: str, parts: Sequence[Flow]) -> tuple[Flow, ...]:
    if not parts:
        raise UsageError(f"A {kind} needs at least one step.")
    for part in parts:
        if not isinstance(part, Flow):
            raise UsageError(f"A {kind} is made of steps and flows, not of {part!r}.", "Write task.step(...).")
    return tuple(parts)


def certain(steps: Sequence[Step]) -> list[Step]:
    """The steps that run whatever the results are, in an order in which they can end: not cases, not undoing."""
    found: list[Step] = []
    places: dict[str, int] = {}

    def walk(steps: Sequence[Step]) -> None:
        for step in steps:
            found.append(step)
            follow = step.follow
            if follow is None or follow.cases:
                continue
            walk(follow.then)
            if follow.join is not None:
                places[follow.join.group] = places.get(follow.join.group, 0) + 1
                if places[follow.join.group] == follow.join.size:
                    walk(follow.join.then)

    walk(steps)
    return found
