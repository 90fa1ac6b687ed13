"""Signals whose handlers raise inside calls, and an interpreter that ends while threads are inside an app's store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
LONG = bool(os.environ.get("SESAME_LONG"))


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, FOLDER / program, *arguments], capture_output=True, text=True, timeout=1200)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize(("kind", "times"), [("sqlite", 1_000), ("memory", 6_000), ("app", 3_000)])
def test_ten_thousand_interrupts_free_nothing_twice_and_swallow_nothing(kind: str, times: int) -> None:
    done = run("interrupted.py", str(times), kind)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")


def test_the_interpreter_ends_cleanly_while_daemon_threads_are_in_an_apps_store() -> None:
    for _ in range(1_000 if LONG else 50):
        done = run("ended.py")
        assert (done.returncode, done.stderr) == (0, "")
