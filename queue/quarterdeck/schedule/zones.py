"""Time zones by their IANA names, from the zone database that ships with the package."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quarterdeck.errors import UsageError

_NOT_IANA = re.compile(r"(?:posix|right)/|(?:localtime|posixrules)\Z")


class UnknownZoneError(UsageError):
    """A time zone that the zone database does not have."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone named `name`, read from the `tzdata` package first, so that a schedule means the same on every host.

    The host's own database is asked only for zones that the package lacks, never for what is the host's own affair:
    `localtime` is another zone on another host, and `right/…` counts leap seconds. Raises UnknownZoneError with the
    nearest names.
    """
    if name in zone_names():
        path = files("tzdata").joinpath("zoneinfo", *name.split("/"))
        with path.open("rb") as source:
            return ZoneInfo.from_file(source, key=name)
    try:
        return _of_the_host(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        alike = [each for each in zone_names() if each.casefold() == name.casefold()]
        near = alike or difflib.get_close_matches(name, zone_names(), n=3)
        cure = f"Did you mean {' or '.join(near)}?" if near else "Names look like Europe/Berlin."
        raise UnknownZoneError(f"There is no time zone {name!r}.", cure) from error


def _of_the_host(name: str) -> ZoneInfo:
    if _NOT_IANA.match(name):
        raise ZoneInfoNotFoundError(name)
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All names in the shipped database."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def place(tz: ZoneInfo) -> str:
    """The zone's short name for people: `Berlin` of Europe/Berlin, `UTC`."""
    return str(tz).rpartition("/")[2].replace("_", " ")
