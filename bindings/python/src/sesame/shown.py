"""How values are printed: short, without payloads and without keys."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

_MOST = 6
_LETTERS = 60


def _is_id(name: str) -> bool:
    return name in ("id", "group", "send", "sends", "forked_from") or name.endswith("_id")


def shown(name: str, value: Any) -> str:
    """A field's value: ids by their last four bytes, other bytes by their number, lists by their first items."""
    match value:
        case bytes() if _is_id(name):
            return f"…{value.hex()[-8:]}" if len(value) > 4 else value.hex()
        case bytes():
            return f"<{len(value)} bytes>"
        case str() if len(value) > _LETTERS:
            return f"{value[:_LETTERS]!r}…"
        case tuple() | list():
            items = ", ".join(shown(name, item) for item in value[:_MOST])
            return f"({items}, … {len(value)} in all)" if len(value) > _MOST else f"({items})"
        case dict():
            items = ", ".join(f"{key!r}: {shown(name, item)}" for key, item in list(value.items())[:_MOST])
            return f"{{{items}, … {len(value)} in all}}" if len(value) > _MOST else f"{{{items}}}"
        case _:
            return repr(value)


class Value:
    """What records have in common."""

    __slots__ = ()

    def __repr__(self) -> str:
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={shown(name, getattr(self, name))}' for name in names)})"
