"""What operators write to mean some jobs by their arguments, for the rules that set jobs aside."""

from __future__ import annotations

import json
import re
from typing import Final

_PAIR: Final = re.compile(r"(?P<name>[^\W\d]\w{0,63})=(?P<value>.{1,200})")


def argument_holds(shown: str, wanted: str) -> bool:
    """Whether arguments, as `arguments_text` shows them, hold what is wanted; an empty wish holds for all.

    `tenant=7` is an argument of that name with exactly that value, a number, word or string, at any depth; anything
    else is looked for as a part of the JSON text.
    """
    pair = _PAIR.fullmatch(wanted)
    if pair is None:
        return wanted in shown
    value = pair["value"]
    values = (value, json.dumps(value, ensure_ascii=False))
    return any(f'"{pair["name"]}":{said}{end}' in shown for said in values for end in ",}")
