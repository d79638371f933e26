"""What operators write to mean jobs by their arguments."""

from __future__ import annotations

import pytest

from quarterdeck.record import argument_holds, arguments_text

ARGUMENTS = {"tenant": 7, "to": "ann", "deep": {"retry": True, "n": None}, "words": "a=b", "ratio": 0.5, "city": "Łódź"}


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ("", True),
        ("tenant=7", True),
        ("tenant=71", False),
        ("tenant=", False),
        ("ten=7", False),
        ("to=ann", True),
        ('to="ann"', True),
        ("to=an", False),
        ("retry=true", True),
        ("n=null", True),
        ("ratio=0.5", True),
        ("city=Łódź", True),
        ("words=a=b", True),
        ('"to":"ann"', True),
        ("ann", True),
        ("bob", False),
        ('"n":null}', True),
    ],
)
def test_what_is_meant(wanted: str, holds: bool) -> None:
    assert argument_holds(arguments_text(ARGUMENTS), wanted) is holds


def test_a_tenant_is_not_taken_for_the_ten_others_that_begin_alike() -> None:
    shown = [arguments_text({"tenant": number}) for number in range(100)]
    assert [number for number, text in enumerate(shown) if argument_holds(text, "tenant=7")] == [7]
