"""A command is a class: its key, its word on the command line, its help and its right come from one place."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck


class Command:
    """The base of all commands: subclasses say what they are in class attributes, and what they do in `run`.

    The first line of a subclass's docstring is its line on the help screen, in the README and in the completion of
    the command line.
    """

    id: ClassVar[str]
    """What the settings file remaps it by."""
    keys: ClassVar[str] = ""
    """Its keys as Textual names them, separated by commas; empty for commands that are only typed."""
    shown: ClassVar[str] = ""
    """How its key is written for people."""
    label: ClassVar[str] = ""
    """One word for the footer; empty where the footer stays silent about it."""
    verbs: ClassVar[tuple[str, ...]] = ()
    """Its words on the command line, the first one is the one to teach."""
    usage: ClassVar[str] = ""
    """What may follow the word."""
    right: ClassVar[Right] = Right.VIEW
    """What the operator must be allowed to do. Without it the key is not bound."""
    acts: ClassVar[bool] = False
    """Whether it changes anything: refused on stale data and in the past."""
    by_widget: ClassVar[bool] = False
    """Whether a widget binds the key itself, under the same id; here it is only described."""
    priority: ClassVar[bool] = False
    """Whether its key works wherever the focus is."""

    def offered(self, deck: Deck) -> bool:  # noqa: ARG002  (subclasses look at the deck)
        """Whether it makes sense where the operator is now."""
        return True

    def needs(self, deck: Deck) -> Right:  # noqa: ARG002
        """What the operator must be allowed to do for it where he is now; `right` unless a subclass knows better."""
        return self.right

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Do it. `words` is what followed the word on the command line, or empty. Raises QuarterdeckError."""
        raise TypeError(f"{type(self).__name__} does nothing by itself: a widget binds its key")

    @classmethod
    def help(cls) -> str:
        """What it does, in one line."""
        return (inspect.getdoc(cls) or "").partition("\n")[0].rstrip(".")

    @classmethod
    def binding(cls) -> Binding:
        """The key binding, remappable by the command's id."""
        return Binding(cls.keys, f"app.command('{cls.id}')", cls.help(), show=False, priority=cls.priority, id=cls.id)
