"""What the doctor looks at on this side: the terminal, the settings files, the embedded server's directory."""

from __future__ import annotations

import locale
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from quarterdeck.broker.checkup import Finding, note, ok, trouble
from quarterdeck.settings import Settings

SMALLEST = (60, 20)
LOW_DISK_BYTES = 200 * 2**20


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """The settings files, and what they lead to."""
    yield ok("settings", ", ".join(settings.files) or "no quarterdeck.toml; all as it comes")
    role = "read-only" if settings.read_only else f"role {settings.role}"
    guard = ", protected" if settings.protected else ""
    yield ok("environment", f"{settings.environment or 'by URL'}, {role}{guard}")
    if settings.style and not Path(settings.style).is_file():
        yield trouble("style", f"There is no stylesheet {settings.style}.", "Correct --style or `style`.")
    for name in settings.files:
        path = Path(name)
        if path.stat().st_mode & 0o077 and "@" in path.read_text("utf-8"):
            yield note(
                "secrets", f"{name} may hold a password, and others can read it.", f"chmod 600 {name}, or use url_from."
            )


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """The embedded server's directory."""
    folder = Path(settings.data_dir)
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{folder}, {free / 2**30:,.1f} GB free"
    if free < LOW_DISK_BYTES:
        yield trouble("data", text, "Make room: the server refuses jobs when it can't write.")
    else:
        yield ok("data", text)


def look_at_terminal(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether the dashboard can paint here."""
    term = environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield note("terminal", "stdout is not a terminal: the dashboard needs one.", "Use `quarterdeck status`.")
    elif term in {"", "dumb"}:
        yield note("terminal", f"TERM is {term!r}: it can't be painted on.", "Use `quarterdeck status --watch`.")
    else:
        size = shutil.get_terminal_size()
        depth = "24-bit" if environ.get("COLORTERM") in {"truecolor", "24bit"} else "256" if "256" in term else "16"
        colours = "no colours (NO_COLOR)" if environ.get("NO_COLOR") else f"{depth} colours"
        around = [name for name, sign in {"tmux": "TMUX", "screen": "STY", "ssh": "SSH_TTY"}.items() if sign in environ]
        text = f"{term}, {size.columns}×{size.lines}, {colours}{', in ' + ', '.join(around) if around else ''}"
        small = size.columns < SMALLEST[0] or size.lines < SMALLEST[1]
        yield note("terminal", text, "Enlarge it to 80×24.") if small else ok("terminal", text)
    encoding = locale.getpreferredencoding(do_setlocale=False)
    if encoding.upper().replace("-", "") != "UTF8":
        yield note("encoding", f"The locale is {encoding}, not UTF-8.", "Use --ascii, or set LANG to a UTF-8 locale.")
