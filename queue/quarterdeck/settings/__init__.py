"""Settings: flags over environment variables over `quarterdeck.toml` (of the project, then of the user)."""

from quarterdeck.settings.files import user_file
from quarterdeck.settings.resolved import EMBEDDED, Flags, Settings, data_dir, resolve
from quarterdeck.settings.tables import ROLES, EnvironmentTable, SettingsTable, nearest

__all__ = [
    "EMBEDDED",
    "ROLES",
    "EnvironmentTable",
    "Flags",
    "Settings",
    "SettingsTable",
    "data_dir",
    "nearest",
    "resolve",
    "user_file",
]
