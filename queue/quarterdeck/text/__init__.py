"""Text that came from elsewhere, made safe to show; and figures, made short enough to read.

Job names, arguments, errors and log lines are written by other people's programs. Whatever paints, exports or logs
them takes them through here first: `clean` for one line, `clean_lines` for many, `mask` for arguments, `mask_text`
for prose that may quote a secret, `fit` for a column of a table.
"""

from quarterdeck.text.amounts import amount, read_amount
from quarterdeck.text.cells import asciify, cell_width, fit, shorten, wrap
from quarterdeck.text.cleaning import ELLIPSIS, clean, clean_lines
from quarterdeck.text.figures import (
    count_of,
    countdown,
    human_age,
    human_bytes,
    human_count,
    human_duration,
    human_percent,
    human_rate,
    whole_minutes,
)
from quarterdeck.text.masking import MASK, is_secret_name, mask, mask_text, mask_url
from quarterdeck.text.sparks import sparkline

__all__ = [
    "ELLIPSIS",
    "MASK",
    "amount",
    "asciify",
    "cell_width",
    "clean",
    "clean_lines",
    "count_of",
    "countdown",
    "fit",
    "human_age",
    "human_bytes",
    "human_count",
    "human_duration",
    "human_percent",
    "human_rate",
    "is_secret_name",
    "mask",
    "mask_text",
    "mask_url",
    "read_amount",
    "shorten",
    "sparkline",
    "whole_minutes",
    "wrap",
]
