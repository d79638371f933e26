"""The demo's app, its queues and its data directory."""

from __future__ import annotations

from pathlib import Path

from quarterdeck import App
from quarterdeck.settings import data_dir

app = App("demo", queues=("default", "emails", "reports"), timeout_s=30)


def folder(name: str = "") -> Path:
    """A folder of the demo's in the data directory; it is made when it is missing."""
    path = data_dir() / "demo" / name
    path.mkdir(parents=True, exist_ok=True)
    return path
