"""How the deck looks: one stylesheet, its themes and its glyphs."""
