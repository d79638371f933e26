"""The app: it holds the snapshot, moves between screens, and hands keys to commands. No more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.driver import Driver
from textual.events import Event
from textual.reactive import reactive
from textual.screen import Screen as TextualScreen

from quarterdeck.errors import QuarterdeckError, UnreachableError, UsageError
from quarterdeck.model import FunctionSpec, Level, Outcome, Screen, Snapshot, View
from tui.acting import Act, Acting
from tui.commands import COMMANDS, command_named
from tui.commands.command import Command
from tui.departure import LOOKED_FOR_S, Departure
from tui.line import SteadyRoundTrip, slowness
from tui.look.dressed import STYLESHEET, DressedApp
from tui.look.glyphs import ASCII, UNICODE
from tui.messages import ActFinished, ActRefused, ReadFailed, SnapshotReady
from tui.playback import Playback
from tui.reading import ReadingLoop
from tui.rendering.moment import Moment
from tui.screens.deckscreen import DeckScreen, Target
from tui.screens.places import view_of
from tui.screens.registry import NUMBERED, screen_for
from tui.sightings import Sightings
from tui.station import Right, Station
from tui.widgets.turnstile import Turnstile

NEWS_EVERY: Final = 3
"""Seconds between two questions for news of the embedded server."""
STALE_AFTER_S: Final = 6.0
"""Rows older than this are stale even when no read has failed: one is stuck in flight."""


class Deck(DressedApp, inherit_bindings=False):
    """The dashboard."""

    TITLE = "quarterdeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        command.binding() for command in COMMANDS if command.keys and not command.by_widget
    ]

    snapshot: reactive[Snapshot | None] = reactive[Snapshot | None](None, init=False, always_update=True, repaint=False)
    """What the server knew when it was last asked."""

    def __init__(self, station: Station, driver_class: type[Driver] | None = None) -> None:
        super().__init__([STYLESHEET, *station.styles], station.theme, driver_class)
        self.station = station
        self.clock = station.clock
        self.playback = Playback(station.clock, self._turned)
        self.glyphs = ASCII if station.ascii else UNICODE
        self.commands: dict[str, Command] = {command.id: command() for command in COMMANDS}
        self.turnstile = Turnstile(self)
        self.reading = ReadingLoop(
            station.open_source, self.view, self.post_message, self._interval_s, station.first_look
        )
        self._departure = Departure(self)
        self.boarded = False
        """Whether the screen that the dashboard opens with is on the stack."""
        self.acting = Acting(station, self.refusal)
        self.sightings = Sightings()
        self.round_trip = SteadyRoundTrip()
        self.functions: tuple[FunctionSpec, ...] = ()
        """What live workers register, as last heard."""
        self.read_error: QuarterdeckError | None = None
        self.stale_since_ms: int | None = None
        self.fatal: QuarterdeckError | None = None
        """Why the dashboard could not even begin; whoever ran it says so on stderr."""
        self._ticks = 0
        self._left: dict[Screen, View] = {}
        self._overview = screen_for(View())
        self.set_keymap(dict(station.keys))

    # Starting and ending.

    def get_default_screen(self) -> TextualScreen[None]:
        """The overview is there from the start: nothing blank is painted before it."""
        return self._overview

    async def on_mount(self) -> None:
        """Start to read once the first painting is out."""
        self.animation_level = "none"
        await self._departure.board()
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._departure.cast_off)

    async def on_unmount(self) -> None:
        """Take leave of the server."""
        await self.acting.close()
        await self.reading.close()
        if self.station.close is not None:
            await self.station.close()

    async def on_event(self, event: Event) -> None:
        """Keys come one at a time: what is typed ahead meets the screen that the key before it made."""
        if not self.turnstile.holds(event):
            await super().on_event(event)

    # Reading.

    @property
    def deck_screen(self) -> DeckScreen:
        """The screen that is on top, dialogs aside."""
        found = (screen for screen in reversed(self.screen_stack) if isinstance(screen, DeckScreen))
        return next(found, self._overview)  # while the app ends there is no stack any more

    def view(self) -> View:
        """What is on screen now: the question for the next read."""
        return self.playback.dated(self.deck_screen.view())

    def wake(self) -> None:
        """Read now: something was done, or something else is on screen."""
        self.reading.wake()

    async def read(self, view: View) -> Snapshot:
        """Read something beside what is on screen, once. Raises QuarterdeckError."""
        return await self.reading.read(view)

    def _turned(self) -> None:
        """Another moment is to be shown."""
        self.reading.holding = self.playback.frozen
        self.wake()
        self.deck_screen.paint_frame()

    @property
    def worker_starts(self) -> bool:
        """Whether there is no worker because ours is just being started: no reason for an alarm."""
        return self.snapshot is not None and self.playback.past_ms is None and self._departure.lacks_worker()

    def doubt(self) -> str:
        """Why the verdict that was read last says nothing, or an empty text: what was well may not be so by now."""
        if self.snapshot is None:
            held_up = self.station.waits_for() if self.station.waits_for is not None else ""
            return f"waiting for {held_up}" if held_up else ""
        if self.worker_starts:
            return "starting the worker"
        well = self.snapshot.verdict.level is Level.OK
        return "not known: no answer" if well and self.stale_since_ms is not None else ""

    def _interval_s(self) -> float:
        return (
            LOOKED_FOR_S if self._departure.lacks_worker() else max(0.1, self.station.refresh_s * slowness(self.driver))
        )

    def on_snapshot_ready(self, message: SnapshotReady) -> None:
        """Hold what was read."""
        snapshot = message.snapshot
        if not self.playback.shows(snapshot):
            return  # the next one is asked for already
        self.read_error = self.stale_since_ms = None
        self.functions = snapshot.functions or self.functions
        self.sightings.notice(snapshot)
        self.round_trip.hear(snapshot.rtt_ms)
        self.snapshot = snapshot

    def on_read_failed(self, message: ReadFailed) -> None:
        """Keep the last rows and say since when they are old; a start without any rows ends with the reason."""
        self.read_error = message.error
        if self.snapshot is None and isinstance(message.error, UnreachableError | UsageError):
            self.fatal = message.error
            self.exit(return_code=message.error.exit_status)
            return
        self._go_stale()

    def _go_stale(self) -> None:
        if self.stale_since_ms is None:
            self.stale_since_ms = self.snapshot.taken_ms if self.snapshot else self.clock.now_ms()
        self.deck_screen.paint_frame()

    def watch_snapshot(self, snapshot: Snapshot | None) -> None:
        """Give it to the screen on top."""
        if snapshot is not None:
            self.deck_screen.accept(snapshot)

    def _tick(self) -> None:
        self._ticks += 1
        if self._ticks % NEWS_EVERY == 0 and self.station.news is not None:
            for sentence in self.station.news():
                self.say(sentence, "warn")
        if self._ticks % slowness(self.driver) or self.playback.past_ms is not None:
            return
        if self.snapshot is None:
            self.deck_screen.paint_frame()  # what the start waits for may be known by now
        age_ms = self.clock.now_ms() - self.snapshot.taken_ms if self.snapshot else 0
        if age_ms > (STALE_AFTER_S + self._interval_s()) * 1000 and not self.playback.frozen:
            self._go_stale()
        self.deck_screen.tick()

    def moment(self) -> Moment:
        """When and for whom things are painted now."""
        return Moment(self.clock.now_ms(), self.station.zone, self.glyphs, coarse=slowness(self.driver) > 1)

    # Moving between screens.

    def left(self, screen: Screen) -> View:
        """A screen as it was left: with its queue, filter and order."""
        return self._left.get(screen, View(screen=screen))

    def _remember(self) -> None:
        asked = self.deck_screen.asked
        if asked.screen in NUMBERED:
            self._left[asked.screen] = asked

    async def go(self, view: View) -> None:
        """Go to a screen by its number or name, from wherever one is."""
        self._remember()
        with self.batch_update():
            while len(self.screen_stack) > 1:
                await self.pop_screen()
            if view.screen is not Screen.OVERVIEW:
                await self.push_screen(screen_for(view))

    async def open(self, view: View) -> None:
        """Open a thing on top of where one is; `Esc` comes back."""
        await self.push_screen(screen_for(view))

    async def open_target(self, target: Target) -> None:
        """Open what a row stands for, if there is more behind it."""
        view = view_of(target)
        if view is not None:
            await self.open(view)

    async def back(self) -> bool:
        """Leave the screen on top; False at the root."""
        if len(self.screen_stack) <= 1:
            return False
        self._remember()
        await self.pop_screen()
        return True

    # Saying.

    def on_act_finished(self, message: ActFinished) -> None:
        """Say what was done, as a command line too, and how to undo it."""
        outcome = message.outcome
        undo = "  (u undoes it)" if outcome.undo else ""
        skipped = f" {outcome.skipped:,} skipped." if outcome.skipped else ""
        style = "warn" if outcome.trouble else "ok"
        self.deck_screen.toast(f"{outcome.message}{skipped}{undo}", style, outcome.command)

    def on_act_refused(self, message: ActRefused) -> None:
        """Say why not."""
        self.deck_screen.toast(str(message.error), "bad")

    def say(self, text: str, style: str = "") -> None:
        """Say something for a few seconds."""
        self.deck_screen.toast(text, style)

    @property
    def driver(self) -> Driver | None:
        """The terminal's driver, while there is one."""
        return self._driver

    # Commands.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A command that is not allowed or makes no sense here has no key. In the past and on stale data acting keeps
        its keys: they say why nothing is done, where silence would leave one guessing.
        """
        if action == "command" and parameters:
            command = self.commands[str(parameters[0])]
            if command.acts and self.refusal():
                return self.station.allows(command.needs(self))
            return self.available(command)
        return super().check_action(action, parameters)

    def available(self, command: Command) -> bool:
        """Whether a command can be given here and now."""
        if not self.station.allows(command.needs(self)) or (command.acts and self.playback.past_ms is not None):
            return False
        return command.offered(self)

    def footer_keys(self) -> Iterable[tuple[str, str]]:
        """Key and word of the commands that can be given here, for the footer."""
        return ((it.shown or it.keys, it.label) for it in self.commands.values() if it.label and self.available(it))

    def action_command(self, id_: str, words: str = "") -> None:
        """Give a command, in a worker of its own so that it may ask and wait."""
        self.run_worker(self._give(self.commands[id_], words), name=id_, group="commands")

    async def obey(self, line: str) -> None:
        """Do what was typed on the command line."""
        word, _, words = line.strip().lstrip(":").partition(" ")
        if not word:
            return
        command = self.commands[command_named(word).id]
        if not command.offered(self):
            says = command.help()
            raise UsageError(f":{word} makes no sense here.", says if says.endswith("?") else f"{says}.")
        self.action_command(command.id, words.strip())

    async def _give(self, command: Command, words: str) -> None:
        try:
            self.acting.require(command.needs(self), acts=command.acts)
            await command.run(self, words)
        except QuarterdeckError as error:
            self.post_message(ActRefused(error))

    def refusal(self) -> str:
        """Why nothing may be done now, or an empty text."""
        if self.playback.past_ms is not None:
            return "This is the past: acting is off. `>` goes on, `=` comes back to now."
        if self.stale_since_ms is not None:
            return "The data is stale: acting is off until the server answers."
        if self.deck_screen.too_small:
            return "The terminal is too small to show what that would do: acting is off until it is larger."
        return ""

    async def perform(self, act: Act, right: Right = Right.OPERATE) -> Outcome:
        """Act through the operator seam, show what came of it, and read again."""
        outcome = await self.acting.perform(act, right)
        self.post_message(ActFinished(outcome))
        self.wake()
        return outcome
