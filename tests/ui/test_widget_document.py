"""The document view: whole payloads, wrapped, folded, searched."""

from fingers import press
from textual.app import App, ComposeResult

from tui.look.glyphs import ASCII, UNICODE
from tui.widgets.doclines import DocLine, json_lines, section, text_lines, traceback_lines
from tui.widgets.document import Document

HOSTILE = (
    "[red]x[/]",
    "[/]",
    "\x1b[2J\x9b31m\x07",
    "\u202e\u2066",
    "日本" * 400,
    "\ud800",
    "a\r\nb\tc",
    "e\u0301" * 90,
)
PAYLOAD = {"to": ["ann", "bob"], "smtp": {"host": "mail", "password": "hunter2"}, "body": "x" * 200}


class Reader(App[None]):
    def __init__(self, glyphs: object = UNICODE) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.asked = 0

    def compose(self) -> ComposeResult:
        yield Document()

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    def on_document_search_wanted(self) -> None:
        self.asked += 1


def body(document: Document) -> list[str]:
    return [line[2:].rstrip() for line in document.visible_text() if line.strip()]


async def test_a_payload_is_shown_whole_and_masked() -> None:
    app = Reader()
    async with app.run_test(size=(60, 20)):
        app.document.show(json_lines(PAYLOAD))
        text = "".join(body(app.document))
        assert text.count("x") == 200
        assert "hunter2" not in app.document.text() + text
        assert '"host": "mail"' in text


async def test_folding_hides_what_is_deeper() -> None:
    app = Reader()
    async with app.run_test(size=(60, 30)) as pilot:
        app.document.show(json_lines(PAYLOAD))
        await press(pilot, "j", "enter")
        lines = body(app.document)
        assert lines[1:3] == ['  "to": [', "  ],"]
        assert app.document.visible_text()[1].startswith("▸")
        await press(pilot, "enter")
        assert '"ann"' in "".join(body(app.document))
        await press(pilot, "Z")
        assert body(app.document) == ["{", "}"]
        await press(pilot, "Z")
        assert len(body(app.document)) > 10


async def test_enter_on_what_has_nothing_under_it_folds_what_it_belongs_to() -> None:
    app = Reader()
    async with app.run_test(size=(60, 30)) as pilot:
        app.document.show(json_lines(PAYLOAD))
        await press(pilot, "j", "j", "enter")
        assert body(app.document)[1:3] == ['  "to": [', "  ],"]


async def test_what_was_folded_stays_so_while_the_text_changes_above_it() -> None:
    app = Reader()
    async with app.run_test(size=(60, 30)) as pilot:

        def reading(age: str) -> list[DocLine]:
            return [
                *text_lines(f"age {age}"),
                *section("Log", text_lines("a\nb")),
                *section("Why", text_lines("c"), True),
            ]

        app.document.show(reading("1 s"))
        assert body(app.document) == ["age 1 s", "Log", "a", "b", "Why"]
        await press(pilot, "j", "enter", "j", "enter")
        assert body(app.document) == ["age 1 s", "Log", "Why", "c"]
        app.document.show(reading("2 s\nand more"))
        assert body(app.document) == ["age 2 s", "and more", "Log", "Why", "c"]
        app.document.show(reading("3 s"), anew=True)
        assert body(app.document) == ["age 3 s", "Log", "a", "b", "Why"]


async def test_search_unfolds_what_it_finds() -> None:
    app = Reader()
    async with app.run_test(size=(60, 10)) as pilot:
        lines = [
            *text_lines("\n".join(f"line {at}" for at in range(50))),
            *section("Hidden", text_lines("needle"), True),
        ]
        app.document.show(lines)
        assert app.document.search("needle") == 1
        assert "needle" in "".join(body(app.document))
        assert "match 1 of 1" in app.document.position
        assert app.document.search("line 1") == 11
        await press(pilot, "n")
        assert "match 2 of 11" in app.document.position
        await press(pilot, "N", "N")
        assert "match 11 of 11" in app.document.position
        assert app.document.search("nowhere") == 0
        assert "no match" in app.document.position
        await press(pilot, "n", "slash")
        assert app.asked == 1


async def test_a_match_in_the_middle_of_a_long_line_is_brought_into_view() -> None:
    app = Reader()
    async with app.run_test(size=(60, 10)):
        app.document.show_text("x" * 50_000 + "needle" + "x" * 50_000)
        app.document.search("needle")
        assert "needle" in "".join(body(app.document))


async def test_keys_move_as_everywhere() -> None:
    app = Reader()
    async with app.run_test(size=(60, 10)) as pilot:
        app.document.show_text("\n".join(f"line {at}" for at in range(100)))
        await press(pilot, "j", "j")
        assert body(app.document)[0] == "line 2"
        await press(pilot, "pagedown")
        assert body(app.document)[0] == "line 11"
        await press(pilot, "pageup", "k")
        assert body(app.document)[0] == "line 1"
        await press(pilot, "G")
        assert body(app.document)[-1] == "line 99"
        assert app.document.position == "rows 91-100 of 100"
        await press(pilot, "g")
        assert body(app.document)[0] == "line 0"


async def test_long_lines_are_wrapped_or_cut() -> None:
    app = Reader()
    async with app.run_test(size=(42, 10)) as pilot:
        app.document.show_text("a" * 40 + "b" * 40)
        assert body(app.document) == ["a" * 40, "b" * 40]
        await press(pilot, "W")
        assert body(app.document) == ["a" * 39 + "…"]
        await press(pilot, "right", "right")
        assert body(app.document) == ["b" * 40]
        await press(pilot, "left", "W")
        assert body(app.document)[0] == "a" * 40


async def test_the_same_document_again_keeps_the_place() -> None:
    app = Reader()
    async with app.run_test(size=(60, 10)) as pilot:
        text = "\n".join(f"line {at}" for at in range(100))
        app.document.show_text(text)
        await press(pilot, "pagedown")
        app.document.show_text(text)
        assert body(app.document)[0] == "line 9"
        app.document.show_text(text + "\nmore")
        assert body(app.document)[0] == "line 9"
        app.document.show_text("short")
        assert body(app.document) == ["short"]


async def test_a_resize_keeps_the_cursor_in_view() -> None:
    app = Reader()
    async with app.run_test(size=(60, 20)) as pilot:
        app.document.show(json_lines({"items": list(range(100))}))
        app.document.action_move(15)
        await pilot.resize_terminal(30, 6)
        await pilot.pause()
        assert "    13," in body(app.document)


async def test_an_empty_document_takes_all_keys() -> None:
    app = Reader()
    async with app.run_test(size=(60, 6)) as pilot:
        app.document.show([])
        await press(pilot, "j", "G", "enter", "Z", "n", "W", "pagedown")
        assert body(app.document) == []


async def test_what_is_read_is_text() -> None:
    for glyphs in (UNICODE, ASCII):
        app = Reader(glyphs)
        async with app.run_test(size=(60, 8)):
            for hostile in HOSTILE:
                for lines in ([DocLine(hostile)], text_lines(hostile)):
                    app.document.show(lines)
                    assert all(line.isprintable() for line in app.document.visible_text())
                    assert all(app.document.render_line(y).cell_length == 60 for y in range(8))
                app.document.show(json_lines({hostile: hostile}))
                app.document.show(traceback_lines(hostile))
                assert all(line.isprintable() for line in app.document.visible_text())


async def test_the_mouse_moves_and_folds() -> None:
    app = Reader()
    async with app.run_test(size=(60, 20)) as pilot:
        app.document.show(json_lines(PAYLOAD))
        await pilot.click(Document, offset=(5, 1), times=2)
        assert body(app.document)[1:3] == ['  "to": [', "  ],"]


async def test_parts_of_a_line_have_styles_of_their_own() -> None:
    app = Reader()
    app.CSS = (
        ".deck--bad { text-style: bold; } .deck--note { text-style: italic; } .deck--found { text-style: reverse; }"
    )
    async with app.run_test(size=(12, 8)):
        app.document.show([DocLine("state  failed after 3", spans=((0, 5, "note"), (7, 13, "bad")))])
        app.document.search("ail")
        rows = [list(app.document.render_line(y)) for y in range(3)]
        bold = [segment.text for row in rows for segment in row if segment.style.bold]
        assert "".join(bold) == "failed"
        assert [segment.text for row in rows for segment in row if segment.style.italic] == ["state"]
        assert "".join(segment.text for row in rows for segment in row if segment.style.reverse) == "ail"


async def test_spans_go_where_cleaning_changed_the_length() -> None:
    app = Reader()
    async with app.run_test(size=(40, 8)):
        app.document.show([DocLine("e\u0301x", spans=((1, 2, "bad"),))])
        assert body(app.document) == ["éx"]
