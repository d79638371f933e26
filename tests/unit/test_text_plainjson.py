"""JSON with the numbers that JSON has no word for, as SAQ writes it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math

import pytest

from quarterdeck.text import plainjson


@dataclasses.dataclass
class Reading:
    """A measurement."""

    value: float
    unit: str | None = None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, b"NaN"),
        ([1, -math.inf], b"[1,-Infinity]"),
        ({"a": {"b": (math.inf, None)}}, b'{"a":{"b":[Infinity,null]}}'),
        (Reading(math.nan), b'{"value":NaN,"unit":null}'),
        ({"at": dt.date(2026, 11, 22), "x": math.nan}, b'{"at":"2026-11-22","x":NaN}'),
        ({"a": None}, b'{"a":null}'),
        ("null", b'"null"'),
    ],
)
def test_encode(value, text):
    assert plainjson.encode(value) == text
    json.loads(text)


def test_what_it_encodes_it_decodes():
    value = {"nan": math.nan, "inf": [math.inf, -math.inf], "text": "NaN", "none": None}
    found = plainjson.decode(plainjson.encode(value))
    assert math.isnan(found.pop("nan"))
    value.pop("nan")
    assert found == value


@pytest.mark.parametrize("raw", [b"", b"{", b"NaN}", b'{"a":Infinit}', b"\xff", b"[" * 100_000 + b"NaN"])
def test_what_is_no_json_is_refused(raw):
    with pytest.raises((ValueError, RecursionError)):
        plainjson.decode(raw)


def test_what_can_not_be_written_is_refused():
    with pytest.raises((TypeError, ValueError)):
        plainjson.encode({"x": math.nan, "y": object()})
