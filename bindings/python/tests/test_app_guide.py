"""The snippets of docs/app-guide.md, run in their order in one namespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import sesame

PAGE = Path(__file__).resolve().parents[3] / "docs" / "app-guide.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_snippet_of_the_page_runs() -> None:
    text = PAGE.read_text()
    world: dict[str, Any] = {"__name__": "app_guide"}
    ran = 0
    for block in BLOCK.finditer(text):
        # A failure names the line of the page.
        above = "\n" * text.count("\n", 0, block.start(1))
        exec(compile(above + block[1], str(PAGE), "exec"), world)
        ran += 1
    assert ran == text.count("```python\n") > 20


def test_each_section_on_what_a_device_does_has_a_snippet() -> None:
    sections = PAGE.read_text().split("\n## ")[1:]
    without = [section.splitlines()[0] for section in sections if not BLOCK.search(section)]
    assert without == ["13. Restore", "16. What to call when"]


def test_the_page_names_every_event() -> None:
    events = [event.__name__ for event in get_args(sesame.Event)]
    page = PAGE.read_text()
    assert len(events) > 20 and [name for name in events if f"`{name}`" not in page] == []
