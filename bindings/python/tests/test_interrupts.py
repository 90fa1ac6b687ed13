"""Signals whose handlers raise inside calls, and an interpreter that ends while threads are inside an app's store."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# `cargo xtask score exits` sets SESAME_LONG.
EXITS = 1_000 if os.environ.get("SESAME_LONG") else 50


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, FOLDER / program, *arguments], capture_output=True, text=True, timeout=1200)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize(("kind", "times"), [("sqlite", 1_000), ("memory", 6_000), ("app", 3_000)])
def test_ten_thousand_interrupts_free_nothing_twice_and_swallow_nothing(kind: str, times: int) -> None:
    done = run("interrupted.py", str(times), kind)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")


def test_the_interpreter_ends_cleanly_while_daemon_threads_are_in_an_apps_store() -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(lambda _: run("ended.py"), range(EXITS)):
            assert (done.returncode, done.stderr) == (0, "")
