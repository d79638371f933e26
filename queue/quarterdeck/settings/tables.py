"""The tables of `quarterdeck.toml`, and the check of what somebody wrote into them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from quarterdeck.errors import SettingsError

Role: TypeAlias = Literal["view", "retry", "operate", "admin"]
ROLES: tuple[str, ...] = get_args(Role)
"""What a user may do in an environment, from least to most."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]


class EnvironmentTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[env.NAME]` table; None means not said.

    `url`, or `url_from`, the name of an environment variable that holds it (so that no password is in the file);
    `queues` to show; `protected` environments make every act of weight be typed; `role` bounds what may be done;
    `style` is a stylesheet beside the settings file; `app` is MODULE:OBJECT; `read_only` binds no acting key;
    `confirm_above` is the number of jobs from which the count must be typed; `refresh_s` the pace of the screen.
    """

    url: str | None = None
    url_from: str | None = None
    queues: tuple[str, ...] | None = None
    protected: bool | None = None
    role: Role | None = None
    style: str | None = None
    app: str | None = None
    read_only: bool | None = None
    confirm_above: Count | None = None
    refresh_s: Seconds | None = None


class ServeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[serve]`: where `quarterdeck serve` listens, and the file that holds the token."""

    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    token_file: str | None = None


class WatchTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[watch]`: alert rules (`watch.rules.Rule`), the webhooks that alerts are posted to, and what signs them."""

    rules: list[dict[str, Any]] = []
    webhooks: list[str] = []
    secret: str = ""


class SettingsTable(EnvironmentTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file: what holds everywhere at the top, `[env.NAME]` tables, and `[keys]` (command id → key).

    `default` names the environment that is used when none is asked for. `[serve]` says where the HTTP API listens,
    `[watch]` what alerts there are and whom they go to; the rules themselves are checked by those who read them.
    """

    default: str | None = None
    ascii: bool | None = None
    data_dir: str | None = None
    keys: dict[str, str] = {}
    env: dict[str, EnvironmentTable] = {}
    serve: ServeTable = ServeTable()
    watch: WatchTable = WatchTable()


def nearest(word: str, known: Iterable[str]) -> str:
    """The cure for an unknown `word`: the nearest of `known`, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names)}."


def checked(table: Mapping[str, Any], place: str) -> SettingsTable:
    """The settings in `table`, which was read from the file `place`.

    Raises `SettingsError` that names the file, the key and, for an unknown key, the nearest right one.
    """
    _refuse_unknown(table, SettingsTable, place, "")
    for name, shape in (("serve", ServeTable), ("watch", WatchTable)):
        if isinstance(table.get(name), Mapping):
            _refuse_unknown(table[name], shape, place, f"{name}.")
    environments = table.get("env", {})
    if isinstance(environments, Mapping):
        for name, environment in environments.items():
            if isinstance(environment, Mapping):
                _refuse_unknown(environment, EnvironmentTable, place, f"env.{name}.")
                if environment.get("url") and environment.get("url_from"):
                    raise SettingsError(f"{place}: 'env.{name}' has both url and url_from.", "Keep one of them.")
    try:
        return msgspec.convert(table, SettingsTable)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        key = _key_of(path, table)
        raise SettingsError(f"{place}: '{key}' is wrong: {_plain(what)}.", _cure(what)) from None


def _refuse_unknown(table: Mapping[str, Any], shape: type[msgspec.Struct], place: str, prefix: str) -> None:
    known = shape.__struct_fields__
    for key in table:
        if key not in known:
            raise SettingsError(f"{place}: '{prefix}{key}' is not a setting.", nearest(key, known))


def _key_of(path: str, table: Mapping[str, Any]) -> str:
    """The dotted key of msgspec's `$.env[...].role`, whose `[...]` hides the environment's name."""
    key = path.strip("`").removeprefix("$").removeprefix(".") or "the file"
    if "[...]" not in key:
        return key
    field, _, rest = key.partition("[...]")
    for name, value in table.get(field, {}).items():
        try:
            msgspec.convert({field: {name: value}}, SettingsTable)
        except msgspec.ValidationError:
            return f"{field}.{name}{rest}"
    return key


def _plain(what: str) -> str:
    """msgspec's sentence in TOML's words."""
    words = {"`str | null`": "text", "`str`": "text", "`bool | null`": "true or false", "`bool`": "true or false"}
    words |= {"`int | null`": "a number", "`int`": "a number", "`float | null`": "a number", "`float`": "a number"}
    words |= {"`array | null`": "a list", "`array`": "a list", "`object`": "a table", " | null`": "`"}
    for term, word in words.items():
        what = what.replace(term, word)
    return what[:1].lower() + what[1:].replace("`", "'")


def _cure(what: str) -> str:
    return f"Known: {', '.join(ROLES)}." if "enum" in what else ""
