"""The words that lines are made of; ``tests/story/README.md`` has the tables."""

from __future__ import annotations

from collections.abc import Iterable


def h(data: bytes) -> str:
    hash = 0xCBF29CE484222325
    for byte in data:
        hash = (hash ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{hash:016x}"


def s(id: bytes) -> str:
    return id[-4:].hex()


def words(*parts: str | None) -> str:
    """What is there, with a space before each."""
    return "".join(f" {part}" for part in parts if part)


def named(word: str, parts: Iterable[object]) -> str | None:
    joined = ",".join(str(part) for part in parts)
    return f"{word} {joined}" if joined else None


def yes(flag: bool) -> str:
    return "yes" if flag else "no"
