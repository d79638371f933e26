"""Where `quarterdeck.toml` is looked for, and reading it."""

from __future__ import annotations

import os
from pathlib import Path

from quarterdeck.errors import SettingsError
from quarterdeck.settings.tables import SettingsTable, checked

NAME = "quarterdeck.toml"


def user_file() -> Path:
    """The user's own settings file (platformdirs' user configuration directory); it may not exist."""
    import platformdirs

    return Path(platformdirs.user_config_dir("quarterdeck")) / NAME


def project_file(start: Path) -> Path | None:
    """The nearest settings file in `start` or a directory above it, or None.

    The search ends at the root of a repository and at the user's home, so that nobody else's file is taken.
    """
    home = Path.home()
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        if (folder / ".git").exists() or folder == home:
            return None
    return None


def read_files(start: Path) -> list[tuple[Path, SettingsTable]]:
    """The settings files that apply in `start`, the weightiest first.

    `QUARTERDECK_SETTINGS` names one file that is used alone. Raises `SettingsError`.
    """
    told = os.environ.get("QUARTERDECK_SETTINGS")
    if told:
        return [(Path(told), read_file(Path(told)))]
    paths = [path for path in (project_file(start), user_file()) if path is not None and path.is_file()]
    return [(path, read_file(path)) for path in dict.fromkeys(paths)]


def read_file(path: Path) -> SettingsTable:
    """The settings in the file `path`; raises `SettingsError` naming the file and the line or the key."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such settings file.", "Check QUARTERDECK_SETTINGS.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the file can't be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: this is not TOML: {error}.") from None
    return checked(table, str(path))
