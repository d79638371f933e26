"""Rows as cells, details as text: pure functions, tested without a terminal."""
