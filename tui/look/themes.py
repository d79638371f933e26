"""The deck's own themes: dark and light, in true colour and in the terminal's sixteen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="deck-dark",
    dark=True,
    primary="#7aa2c8",
    secondary="#5f7f9c",
    accent="#a08fc8",
    success="#7fa984",
    warning="#d9a54c",
    error="#e8615a",
    foreground="#c8ccd2",
    background="#101317",
    surface="#191e24",
    panel="#20262e",
    variables={
        "text-success": "#7fa984",
        "text-warning": "#e0ad55",
        "text-error": "#f0706a",
        "text-accent": "#b3a3da",
        "text-primary": "#86aed4",
        "text-muted": "#868e98",
        "text-disabled": "#565d66",
        "block-cursor-background": "#2b4a66",
        "block-cursor-foreground": "#f2f4f6",
        "input-selection-background": "#2b4a66",
    },
)
"""Quiet greys; amber and red are the only warm colours on the screen."""

LIGHT: Final = Theme(
    name="deck-light",
    dark=False,
    primary="#2c5f8a",
    secondary="#54738c",
    accent="#6b4fa0",
    success="#2f6f3a",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#22262b",
    background="#fbfbf9",
    surface="#efefec",
    panel="#e6e6e2",
    variables={
        "text-success": "#2f6f3a",
        "text-warning": "#8a5a00",
        "text-error": "#b3261e",
        "text-accent": "#6b4fa0",
        "text-primary": "#2c5f8a",
        "text-muted": "#646a72",
        "text-disabled": "#a3a8ae",
        "block-cursor-background": "#cfe0f0",
        "block-cursor-foreground": "#10151a",
        "input-selection-background": "#cfe0f0",
    },
)
"""The same by daylight."""

THEMES: Final = (DARK, LIGHT)


def theme_name(light: bool = False, colors: int = 1 << 24, environment: Mapping[str, str] | None = None) -> str:
    """Return the name of the theme for a terminal: of `colors` colours, on a light or a dark ground.

    With fewer than 256, or where `NO_COLOR` is set (no-color.org), one of Textual's `ansi` themes: these send the
    terminal's own colours, and with `NO_COLOR` none at all, where the others would send greys.
    """
    plain = bool((environment or {}).get("NO_COLOR")) or colors < 256
    if plain:
        return "ansi-light" if light else "ansi-dark"
    return LIGHT.name if light else DARK.name
