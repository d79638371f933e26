"""The base of rows. Texts in rows come from elsewhere and are not cleaned yet: clean them where they are painted."""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="row"):
    """The base of rows: `id` is stable and unique within its list; the cursor is pinned to it."""

    id: str
