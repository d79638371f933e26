"""The least that a Textual program can be: what the dashboard's first painting is held against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static("bare and painted")


if __name__ == "__main__":
    Bare().run()
