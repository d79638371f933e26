"""What a program runs with, after flags, environment variables and files were laid over each other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.errors import SettingsError, UsageError
from quarterdeck.settings.files import read_files
from quarterdeck.settings.tables import ROLES, EnvironmentTable, Role, SettingsTable, nearest

EMBEDDED = "local"
"""The name of the environment that is the embedded server; `demo` when it runs the example tasks."""
DEMO_APP = "tasks:app"
CONFIRM_ABOVE = 100
REFRESH_S = 1.0


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line said; None and empty mean nothing was said."""

    url: str | None = None
    env: str | None = None
    app: str | None = None
    queues: tuple[str, ...] = ()
    read_only: bool = False
    style: str | None = None
    ascii: bool = False
    plain_driver: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a program runs with. `url` None means the embedded server.

    `environment` is the name to show; `queues` empty means all; `app` is MODULE:OBJECT or None; `style` is a path;
    `keys` maps command ids to keys; `files` are the settings files that were read, the weightiest first.
    """

    environment: str = EMBEDDED
    url: str | None = None
    app: str | None = None
    queues: tuple[str, ...] = ()
    read_only: bool = False
    protected: bool = False
    role: Role = "admin"
    style: str | None = None
    confirm_above: int = CONFIRM_ABOVE
    refresh_s: float = REFRESH_S
    ascii: bool = False
    plain_driver: bool = False
    data_dir: str = ""
    keys: dict[str, str] = {}
    environments: tuple[str, ...] = ()
    serve: dict[str, Any] = {}
    watch: dict[str, Any] = {}
    files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the URL, which may hold a password."""
        return f"Settings(environment={self.environment!r}, role={self.role!r}, files={self.files!r})"


def data_dir(told: str | None = None) -> Path:
    """Where the embedded server keeps its data: QUARTERDECK_DATA_DIR, else `told`, else the user's data directory."""
    chosen = os.environ.get("QUARTERDECK_DATA_DIR") or told
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_dir("quarterdeck"))


def resolve(
    flags: Flags | None = None, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Settings:
    """Lay flags over environment variables over files.

    Variables: QUARTERDECK_URL, _ENV, _APP, _QUEUES (commas), _READ_ONLY, _ROLE, _STYLE, _ASCII, _CONFIRM_ABOVE,
    _DATA_DIR, _SETTINGS. Raises `SettingsError` or `UsageError`, both with exit status 2.
    """
    flags = flags or Flags()
    cwd = cwd or Path.cwd()
    variables = {
        name.removeprefix("QUARTERDECK_").lower(): value
        for name, value in (os.environ if environ is None else environ).items()
        if name.startswith("QUARTERDECK_") and value
    }
    files = read_files(cwd)
    name, url = _place(flags, variables, [table for _, table in files])
    layers = [*_file_layers(files, name), _variable_layer(variables), _flag_layer(flags, cwd)]
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if value is not None}
    merged["url"] = url or _url_of(merged, name)
    merged.pop("url_from", None)
    merged["data_dir"] = str(data_dir(merged.get("data_dir")))
    if merged["url"] is None and not merged.get("app"):
        merged["app"] = _app_of_checkout(cwd)
    merged["environment"] = name or _name_of(merged["url"], merged.get("app"))
    return Settings(
        **merged,
        plain_driver=flags.plain_driver,
        environments=tuple(sorted({each for _, table in files for each in table.env})),
        files=tuple(str(path) for path, _ in files),
    )


def _place(flags: Flags, variables: Mapping[str, str], tables: list[SettingsTable]) -> tuple[str | None, str | None]:
    """The environment's name and the URL that outweighs its own, as far as either was said."""
    for flag, word in (("--url", flags.url), ("--env", flags.env)):
        if word == "":  # as `--url "$PROD"` says when PROD is not set: the embedded server was not meant
            raise UsageError(f"{flag} is empty.", f"Leave {flag} out, or say what it should be.")
    if flags.url and flags.env:
        raise UsageError("--url and --env were both given.", "Give one: an environment has its own URL.")
    if flags.url:
        return None, flags.url
    url, name = variables.get("url"), flags.env or variables.get("env")
    if url and name and not flags.env:
        raise UsageError("QUARTERDECK_URL and QUARTERDECK_ENV are both set.", "Unset one of them.")
    if url and not flags.env:
        return None, url
    name = name or next((table.default for table in tables if table.default), None)
    if name is None:
        return None, None
    known = {each for table in tables for each in table.env}
    if name not in known:
        cure = nearest(name, known) if known else "No settings file names one; add an [env.NAME] table."
        raise UsageError(f"There is no environment '{name}' in the settings.", cure)
    return name, None


def _file_layers(files: list[tuple[Path, SettingsTable]], name: str | None) -> list[dict[str, Any]]:
    """The layers of the files, lightest first: user's top, project's top, then the same for the environment."""
    tops, environments = [], []
    for path, table in reversed(files):
        tops.append(_layer(table, path) | {"ascii": table.ascii, "data_dir": table.data_dir})
        if name in table.env:
            environments.append(_layer(table.env[name], path))
    keyed: dict[str, Any] = {"keys": {}, "serve": {}, "watch": {}}
    for path, table in reversed(files):
        keyed["keys"] |= table.keys
        serve = _said(table.serve)
        if "token_file" in serve:
            serve["token_file"] = str((path.parent / Path(serve["token_file"]).expanduser()).resolve())
        keyed["serve"] |= serve
        keyed["watch"] |= _said(table.watch)
    return [*tops, *environments, keyed]


def _said(table: msgspec.Struct) -> dict[str, Any]:
    """What a table says, without what it leaves open."""
    return {name: value for name, value in msgspec.structs.asdict(table).items() if value not in (None, "", [])}


def _layer(table: EnvironmentTable, path: Path) -> dict[str, Any]:
    """One table as a layer; a stylesheet's path counts from its file."""
    layer = {field: getattr(table, field) for field in EnvironmentTable.__struct_fields__}
    if table.style:
        layer["style"] = str((path.parent / Path(table.style).expanduser()).resolve())
    # The weightier of the two ways to name a URL must hide the lighter layer's other way.
    if table.url:
        layer["url_from"] = ""
    elif table.url_from:
        layer["url"] = ""
    return layer


def _variable_layer(variables: Mapping[str, str]) -> dict[str, Any]:
    queues = tuple(filter(None, (name.strip() for name in variables.get("queues", "").split(","))))
    role, bound = variables.get("role"), variables.get("confirm_above")
    if role and role not in ROLES:
        raise SettingsError(f"QUARTERDECK_ROLE: '{role}' is not a role.", nearest(role, ROLES))
    if bound and not bound.isdecimal():
        raise SettingsError(f"QUARTERDECK_CONFIRM_ABOVE: '{bound}' is not a number.", "Write a number of jobs.")
    return {
        "app": variables.get("app"),
        "queues": queues or None,
        "role": role,
        "style": variables.get("style"),
        "confirm_above": int(bound) if bound else None,
        "read_only": _switch(variables, "read_only"),
        "ascii": _switch(variables, "ascii"),
    }


def _switch(variables: Mapping[str, str], name: str) -> bool | None:
    value = variables.get(name, "").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise SettingsError(f"QUARTERDECK_{name.upper()}: '{value}' is neither yes nor no.", "Write 1 or 0.")
    return None


def _flag_layer(flags: Flags, cwd: Path) -> dict[str, Any]:
    return {
        "app": flags.app,
        "queues": flags.queues or None,
        "read_only": flags.read_only or None,
        "style": str((cwd / Path(flags.style).expanduser()).resolve()) if flags.style else None,
        "ascii": flags.ascii or None,
    }


def _url_of(merged: Mapping[str, Any], name: str | None) -> str | None:
    """The URL that the files gave, or None."""
    if merged.get("url_from"):
        url = os.environ.get(merged["url_from"])
        if not url:
            place = f"environment '{name}'" if name else "settings"
            raise SettingsError(
                f"The URL of the {place} is in the variable {merged['url_from']}, which is not set.",
                f"Set {merged['url_from']}, or give --url.",
            )
        return url
    return merged.get("url") or None


def _app_of_checkout(cwd: Path) -> str | None:
    """The example tasks, when `cwd` is a checkout of this project."""
    return DEMO_APP if (cwd / "queue" / "quarterdeck").is_dir() and (cwd / "tasks").is_dir() else None


def _name_of(url: str | None, app: str | None) -> str:
    """What to call an environment that has no name: its server's place, or the embedded one's."""
    if url is None:
        return "demo" if app == DEMO_APP else EMBEDDED
    return ""
