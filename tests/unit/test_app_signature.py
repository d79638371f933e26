"""Arguments are checked before they are sent and come back as what the hints say."""

from __future__ import annotations

import dataclasses
import enum
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from quarterdeck.app.dependency import depends
from quarterdeck.app.signature import Signature, word
from quarterdeck.errors import ArgumentError, UsageError


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Mail(msgspec.Struct):
    to: str
    at: datetime


@asynccontextmanager
async def connection():
    yield "a connection"


def send(to: str, copies: int = 1, *, urgent: bool = False) -> None: ...


def round_trip(function, *args, **kwargs):
    signature = Signature(function.__name__, function)
    wire = msgspec.json.decode(msgspec.json.encode(signature.bind(args, kwargs)))
    positional, named = signature.arrange(wire)
    return wire, positional, named


class TestBind:
    def test_positional_arguments_travel_by_name(self):
        assert Signature("send", send).bind(("ann",), {"copies": 2}) == {"to": "ann", "copies": 2}

    def test_defaults_are_not_sent(self):
        assert Signature("send", send).bind(("ann",), {}) == {"to": "ann"}

    @pytest.mark.parametrize(
        ("args", "kwargs", "says"),
        [
            ((), {}, "missing a required argument: 'to'"),
            (("a", 1, True), {}, "too many positional arguments"),
            (("a",), {"tpo": 1}, "unexpected keyword argument 'tpo'"),
            ((5,), {}, "argument to: Expected `str`, got `int`"),
            (("a",), {"copies": "two"}, "argument copies: Expected `int`, got `str`"),
        ],
    )
    def test_an_error_names_function_argument_and_what_it_takes(self, args, kwargs, says):
        with pytest.raises(ArgumentError) as caught:
            Signature("send", send).bind(args, kwargs)
        assert caught.value.message.startswith("send(): ")
        assert says in caught.value.message
        assert caught.value.cure == "It takes (to: str, copies: int = 1, *, urgent: bool = False)."

    def test_what_json_cant_hold_is_refused(self):
        def keep(thing): ...

        with pytest.raises(ArgumentError, match="argument thing can't be sent: a object has no JSON form"):
            Signature("keep", keep).bind((object(),), {})

    def test_a_partial_call_leaves_required_arguments_open(self):
        signature = Signature("send", send)
        assert signature.bind((), {"copies": 2}, partial=True) == {"copies": 2}
        assert signature.free({"copies": 2}) == "to"
        assert signature.free({"to": "a", "copies": 2, "urgent": True}) is None

    def test_star_args_are_refused_when_the_task_is_defined(self):
        def many(*names: str) -> None: ...

        with pytest.raises(UsageError, match="takes \\*args"):
            Signature("many", many)

    def test_further_keywords_are_taken_when_the_function_takes_them(self):
        def open_ended(a: int, **rest: Any) -> None: ...

        wire, _, named = round_trip(open_ended, 1, b=2)
        assert wire == {"a": 1, "b": 2} == named
        assert Signature("open_ended", open_ended).accepts_any


class TestArrange:
    def test_rich_types_make_the_round_trip(self):
        def keep(
            at: datetime, colour: Colour, point: Point, mail: Mail, ids: set[UUID], path: Path, maybe: int | None = None
        ) -> None: ...

        at = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
        given = {
            "at": at,
            "colour": Colour.RED,
            "point": Point(1, 2),
            "mail": Mail("ann", at),
            "ids": {UUID(int=7)},
            "path": Path("/tmp/x"),
            "maybe": None,
        }
        wire, _, named = round_trip(keep, **given)
        assert named == given
        assert wire["path"] == "/tmp/x"

    def test_positional_only_parameters_are_given_by_position(self):
        def add(a: int, b: int, /, c: int = 0) -> int:
            return a + b + c

        _, positional, named = round_trip(add, 1, 2, c=3)
        assert (positional, named) == ([1, 2], {"c": 3})

    def test_a_job_from_before_a_deploy_that_changed_the_function_is_told_so(self):
        with pytest.raises(ArgumentError, match="unexpected keyword argument 'cc'"):
            Signature("send", send).arrange({"to": "a", "cc": "b"})

    def test_a_value_of_the_wrong_type_is_told_so(self):
        with pytest.raises(ArgumentError, match="argument copies"):
            Signature("send", send).arrange({"to": "a", "copies": "x"})

    def test_hints_that_exist_for_the_type_checker_alone_do_no_harm(self):
        def keep(a: Missing, b: int = 1) -> Missing: ...  # noqa: F821

        signature = Signature("keep", keep)
        assert signature.arrange(signature.bind((1,), {})) == ([], {"a": 1})

    def test_results_are_what_the_hint_says(self):
        def when() -> datetime: ...

        def odd() -> int: ...

        assert Signature("when", when).result("2026-11-22T03:10:00Z") == datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
        assert Signature("odd", odd).result("not a number") == "not a number"


class TestSpecs:
    def test_dependencies_are_no_parameters(self):
        async def send(to: str, smtp: str = depends(connection)) -> None: ...

        signature = Signature("send", send)
        assert [each.name for each in signature.specs()] == ["to"]
        assert list(signature.dependencies) == ["smtp"]
        with pytest.raises(ArgumentError):
            signature.bind(("a",), {"smtp": "mine"})

    def test_specs_tell_type_need_and_default(self):
        specs = {each.name: each for each in Signature("send", send).specs()}
        assert (specs["to"].type, specs["to"].required, specs["to"].default) == ("str", True, "")
        assert (specs["copies"].type, specs["copies"].required, specs["copies"].default) == ("int", False, "1")
        assert specs["urgent"].default == "false"

    def test_saq_functions_skip_the_context(self):
        async def f(ctx, a: int): ...

        assert [each.name for each in Signature("f", f, skip=1).specs()] == ["a"]

    @pytest.mark.parametrize(
        ("hint", "expected"),
        [
            (int, "int"),
            (str | None, "str"),
            (int | str, "any"),
            (list[int], "list"),
            (set[str], "list"),
            (dict[str, int], "dict"),
            (Point, "dict"),
            (Mail, "dict"),
            (Colour, "str"),
            (Path, "str"),
            (datetime, "datetime"),
            (Literal["a", "b"], "str"),
            (Literal["a", 1], "any"),
            (Annotated[int, "positive"], "int"),
            (Any, "any"),
            (object, "any"),
        ],
    )
    def test_one_word_for_a_type(self, hint, expected):
        assert word(hint) == expected

    def test_a_dependency_called_directly_says_how_to_call_it(self):
        with pytest.raises(AttributeError, match="takes its dependencies as arguments"):
            depends(connection).sendmail  # noqa: B018
