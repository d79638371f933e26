"""The dashboard: the only room that touches Textual."""
