"""The bad-input corpus: the same files give the same codes as from Rust."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sesame
from sesame import Device

FOLDER = Path(__file__).parents[3] / "tests" / "bad-inputs"
CASES = sorted(FOLDER.glob("*.txt"))
KEY = b"\x5a" * 32


def dump(path: Path) -> list[tuple[bytes, bytes]]:
    with sqlite3.connect(path) as database:
        return sorted(database.execute("SELECT k, v FROM small UNION ALL SELECT k, v FROM large"))


def put(path: Path, key: bytes, value: bytes) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM small WHERE k = ?", (key,))
        database.execute("DELETE FROM large WHERE k = ?", (key,))
        database.execute("INSERT INTO small(k, v) VALUES(?, ?)", (key, value))


def test_the_corpus_is_there() -> None:
    assert len(CASES) >= 360


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path, tmp_path: Path) -> None:
    head, _, body = case.read_text().partition("\n\n")
    fields = dict(line.split(": ") for line in head.splitlines())
    data, expect = bytes.fromhex(body), int(fields["expect"])
    surface = fields["surface"]
    of = "bob" if surface in {"bundle", "device-list"} else "alice"
    path = tmp_path / "device.db"
    shutil.copy(FOLDER / "stores" / f"{of}.db", path)
    if surface == "record":
        put(path, bytes.fromhex(fields["key"]), data)
    before = dump(path)
    code: int | None = None
    try:
        device = Device.open(store=path, store_key=KEY)
        match surface:
            case "envelope" | "group":
                (result,) = device.batch_decrypt([data])
                assert isinstance(result, sesame.Failure | sesame.Duplicate)
                code = result.code if isinstance(result, sesame.Failure) else sesame.Code.DUPLICATE
            case "bundle":
                code = device.registry().apply(sesame.Answers(bundles=(data,))).refusals[0].code
            case "device-list":
                code = device.registry().apply(sesame.Answers(device_lists=(data,))).refusals[0].code
            case "linking-code":
                device.confirm_link(data.decode())
    except sesame.SesameError as error:
        code = error.code
        # Nothing that came from outside stands in the text.
        assert not data or data[:8].hex() not in str(error)
    assert code == expect
    if surface != "bundle":
        assert dump(path) == before
