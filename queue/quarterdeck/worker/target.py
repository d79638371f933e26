"""What a worker is told to run: `module:object` for an app, `module.settings` for SAQ's settings."""

from __future__ import annotations

import difflib
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from quarterdeck.app import App
from quarterdeck.app.task import Task
from quarterdeck.errors import QuarterdeckError, TargetError
from quarterdeck.settings import nearest

FORMS = "Write MODULE:APP for an app, such as tasks:app, or MODULE.SETTINGS for SAQ settings, such as myapp.settings."
Settings = dict[str, Any]


def load_target(path: str, *, directory: Path | None = None) -> App | Settings:
    """The app, or the SAQ settings dict (untouched, a copy of its top level), that `path` names.

    The object may be a function without arguments that returns it. Modules are found from `directory` (the current
    one) first, as `python -m` finds them. Raises TargetError (exit status 2), which names what could not be loaded,
    where, and the cure; an error raised by the module's own code is quoted in one line.
    """
    module_name, _, attribute = _split(path)
    root = str(directory or Path.cwd())
    if root not in sys.path:
        sys.path.insert(0, root)
    module = _import(module_name, root)
    found = _attribute(module, attribute, path)
    if callable(found) and not isinstance(found, App | Task):
        found = _called(found, path)
    if isinstance(found, App):
        return found
    if isinstance(found, Mapping):
        return _settings(dict(found), path)
    raise TargetError(f"{path} is of type {_kind(found)}, neither an app nor SAQ settings (a dict).", FORMS)


def _split(path: str) -> tuple[str, str, str]:
    """Module, separator and attribute; a bare module name means its `app`."""
    path = path.strip()
    file, _, name = path.partition(":")
    if file.endswith(".py") and len(file) > len(".py"):
        module = ".".join(Path(file).with_suffix("").parts).strip(".")
        raise TargetError(f"'{path}' is a file, and a module is needed.", f"Write {module}:{name or 'app'}.")
    if ":" in path:
        parts = path.partition(":")
    elif "." in path:
        parts = path.rpartition(".")
    else:
        parts = (path, ":", "app")
    if not all(word.isidentifier() for word in [*parts[0].split("."), *parts[2].split(".")]):
        raise TargetError(f"'{path}' names no app and no settings.", FORMS)
    return parts


def _import(name: str, root: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            of = "" if name == missing else f" to import {name} from"
            near = difflib.get_close_matches(name, [file.stem for file in Path(root).glob("*.py")], n=1, cutoff=0.6)
            raise TargetError(
                f"There is no module {missing}{of}.",
                (f"Did you mean {near[0]}? " if near else "")
                + f"Modules are looked for in {root} and in the installed packages: check the name and the directory.",
            ) from error
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: BaseException) -> TargetError:
    """The error for a module whose own code raises, with the innermost line that is the user's own."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    if isinstance(error, SyntaxError) and error.filename:
        place = f" ({Path(error.filename).name}:{error.lineno})"
    what = "could not be called" if ":" in name else "could not be imported"
    if isinstance(error, QuarterdeckError):  # has a cure of its own
        return TargetError(f"{name} {what}{place}: {error.message}", error.cure or "Correct it there.")
    text = " ".join(str(getattr(error, "msg", error)).split()) or "no message"
    return TargetError(
        f"{name} {what}: {type(error).__name__}: {text}{place}.",
        f"Try: python -c 'import {name.partition(':')[0]}'.",
    )


def _is_users(filename: str) -> bool:
    """Whether a file is neither Python's, nor an installed package's, nor ours."""
    parts = Path(filename).parts
    libraries = (sysconfig.get_path("stdlib"), str(Path(__file__).parents[1]))
    return filename[:1] != "<" and "site-packages" not in parts and not filename.startswith(libraries)


def _attribute(module: ModuleType, attribute: str, path: str) -> Any:
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            candidates = [key for key, value in vars(module).items() if isinstance(value, App | dict) and key[0] != "_"]
            cure = nearest(name, candidates) if candidates else f"It holds no app and no settings. {FORMS}"
            raise TargetError(f"The module {module.__name__} has no {name}, which {path} asks for.", cure)
        found = getattr(found, name)
    return found


def _called(factory: Any, path: str) -> Any:
    try:
        inspect.signature(factory).bind()
    except TypeError:
        raise TargetError(f"{path} is a function that takes arguments, not an app.", FORMS) from None
    except ValueError:  # built in: has no signature
        pass
    try:
        return factory()
    except Exception as error:
        raise _broken(path if ":" in path else ":".join(path.rsplit(".", 1)), error) from error


def _kind(found: Any) -> str:
    return "Task (name the app that it belongs to)" if isinstance(found, Task) else type(found).__name__


def _settings(settings: Settings, path: str) -> Settings:
    if not settings.get("functions") and not settings.get("cron_jobs"):
        raise TargetError(
            f"{path} is a dict without functions and cron_jobs: not SAQ settings.",
            "SAQ's settings hold queue, functions, concurrency, ... .",
        )
    return settings
