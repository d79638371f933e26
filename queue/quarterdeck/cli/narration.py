"""How a worker's log records are told on stderr: readable, and nothing but text for the terminal that shows them."""

from __future__ import annotations

import logging

from quarterdeck.text import clean_lines, mask_text


class CleanFormatter(logging.Formatter):
    """Formats a record as usual, then takes escape sequences and quoted secrets out of every line, tracebacks too.

    What tasks log, and the names of jobs, come from elsewhere.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines, each of them clean."""
        return "\n".join(clean_lines(mask_text(super().format(record))))
