"""The styles that line widgets paint with, as the stylesheet gives them, looked up once for a whole screen.

Textual would hold every component class on every widget: nineteen of them on eleven widgets were half of all the
styling that the first painting waits for. Here a style is worked out when something is first painted in it, and all
widgets of a screen share it.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from rich.style import Style
from textual.dom import DOMNode
from textual.screen import Screen

STATES: Final = ("ok", "busy", "wait", "warn", "bad", "paused", "muted", "strong", "note")
"""Styles that say in what state a thing is. Colour follows them in the stylesheet; the text must say it as well."""

PARTS: Final = ("header", "cursor", "blurred", "marked", "lost", "placeholder", "match", "found", "rule", "gutter")
"""Styles of the parts that line widgets have in common."""

_NAMES: Final = frozenset((*STATES, *PARTS))
_known: Final[WeakKeyDictionary[Screen[Any], dict[str, Style]]] = WeakKeyDictionary()


def look_of(screen: Screen[Any], name: str) -> Style:
    """What the rules for `.deck--name` say on this screen, to be laid over a widget's own style.

    A name that is neither among `STATES` nor `PARTS` changes nothing: data may name a style of another version.
    """
    if name not in _NAMES:
        return Style.null()
    known = _known.setdefault(screen, {})
    style = known.get(name)
    if style is None:
        node = DOMNode(classes=f"deck--{name}")
        node._attach(screen)
        screen.app.stylesheet.apply(node)
        style = known[name] = node.styles.partial_rich_style
    return style


def forget_looks(screen: Screen[Any]) -> None:
    """The rules, the theme or what they match has changed: look again."""
    _known.pop(screen, None)
