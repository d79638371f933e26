"""JSON as SAQ's: with `NaN` and `Infinity`, which msgspec writes as null, silently, and refuses to read."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """Compact JSON of plain data, and of what msgspec knows (dates, UUIDs, dataclasses).

    Raises TypeError, ValueError, OverflowError, RecursionError or msgspec.MsgspecError for what it can't hold.
    """
    try:
        encoded = _encoder.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair, as undecodable file names hold: escaped, as Python's json does
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode()
    if b"null" in encoded:
        plain = msgspec.to_builtins(value)
        if _is_beyond(plain):
            return json.dumps(plain, separators=(",", ":")).encode()
    return encoded


def decode(raw: bytes) -> Any:
    """What JSON says. Raises ValueError (msgspec's DecodeError is one) or RecursionError for what is none."""
    try:
        return _decoder.decode(raw)
    except ValueError:
        if b"NaN" in raw or b"Infinity" in raw or b"\\ud" in raw or b"\\uD" in raw:
            return json.loads(raw)
        raise


def _is_beyond(value: Any) -> bool:
    """Whether a number that JSON has no word for is anywhere in plain data."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_is_beyond, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_is_beyond, value))
