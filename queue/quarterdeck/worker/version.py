"""Which version of the code a worker runs, so that a fleet with two of them is seen."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

_COMMIT = re.compile(r"^[0-9a-f]{40}$")


def code_version(told: str, module: str) -> str:
    """What the app says, else QUARTERDECK_VERSION, else the commit checked out around the module, else its digest."""
    found = told or os.environ.get("QUARTERDECK_VERSION", "")
    if found:
        return found
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None:
        return ""
    return commit_of(Path(path).parent) or hashlib.sha256(Path(path).read_bytes()).hexdigest()[:7]


def commit_of(directory: Path) -> str:
    """The first seven digits of the commit that git has checked out in or above `directory`, or empty; read from
    git's files, since git itself may not be installed."""
    for place in (directory, *directory.parents):
        head = place / ".git" / "HEAD"
        if head.is_file():
            return _commit(head)[:7]
    return ""


def _commit(head: Path) -> str:
    text = head.read_text("utf-8", "replace").strip()
    if not text.startswith("ref: "):
        return text if _COMMIT.match(text) else ""
    name = text.removeprefix("ref: ")
    loose = head.parent / name
    if loose.is_file():
        return loose.read_text("utf-8", "replace").strip()
    packed = head.parent / "packed-refs"
    lines = packed.read_text("utf-8", "replace").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")
