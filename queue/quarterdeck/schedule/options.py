"""The job settings that a schedule may carry: SAQ's own fields, each with the values that a job can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

_Seconds = Annotated[float, msgspec.Meta(ge=0)]


class JobOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of SAQ's `Job` and what they hold; times in s. None leaves the field to SAQ's default."""

    timeout: _Seconds | None = None
    """0: none."""
    heartbeat: _Seconds | None = None
    retries: Annotated[int, msgspec.Meta(ge=0)] | None = None
    ttl: Annotated[float, msgspec.Meta(ge=-1)] | None = None
    """0: for ever, -1: not at all."""
    retry_delay: _Seconds | None = None
    retry_backoff: bool | _Seconds | None = None
    """True, or the longest delay."""
    meta: dict[str, Any] | None = None


JOB_FIELDS = frozenset(JobOptions.__struct_fields__)


def wrong_option(options: Mapping[str, Any]) -> str:
    """What is wrong with the values of `options` (known names), in msgspec's words; empty when nothing is."""
    try:
        msgspec.convert(options, JobOptions)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
