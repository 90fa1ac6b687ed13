"""The bad-input corpus: the same files give the same codes as from Rust."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sesame
from sesame import Device, MailOutcome, RequestKind

FOLDER = Path(__file__).parents[3] / "tests" / "bad-inputs"
CASES = sorted(FOLDER.glob("*.txt"))
KEY = b"\x5a" * 32
# The time at which the stores of the corpus were made, in ms: `FIXTURE_NOW` in tests/src/bad_inputs.rs.
MADE_AT = 4_102_444_800_000
NO_BUNDLE = (201, 202, 203, 204, 205, 301, 304)


#: The first byte of the keys of what is to be asked for.
OWED = 39
#: The same with the inbox, its numbers, and the clock that goes with each write.
UNTOLD = (18, 21, 34, OWED)


def untold(rows: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in rows if key[0] not in UNTOLD]


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
    code: sesame.Code | None = None
    try:
        device = Device.open(store=path, store_key=KEY, clock=sesame.TestClock(MADE_AT))
        match surface:
            case "envelope" | "group":
                (result,) = device.batch_decrypt([data])
                assert not result.keep
                code = sesame.Code.DUPLICATE if result.outcome is MailOutcome.DUPLICATE else result.code
                if items := device.inbox():
                    # What a known device said, and nobody else can have said, is lost: the app is told, and nothing else changes.
                    assert [type(item) for item in items] == [sesame.NotOpened]
                    before = dump(path)
            case "bundle":
                send = device.batch_encrypt(["alice"], b"hello")
                answer(device, RequestKind.BUNDLES, data)
                status = device.send_status(send.id)
                assert status is not None
                (skipped,) = status.users[0].skipped
                # A bundle that cannot be read, or that says that it is another device's, is no bundle of this device.
                assert skipped.device == 2 and skipped.code in (expect, sesame.Code.UNKNOWN_PRE_KEY)
                assert skipped.code == expect or expect in NO_BUNDLE
                return
            case "device-list":
                known = device.registry().devices("alice")
                device.registry().look_up(["alice"])
                answer(device, RequestKind.LISTS, data)
                assert device.registry().devices("alice") == known and device.inbox() == []
                return
            case "linking-code":
                device.link_device(data.decode())
    except sesame.SesameError as error:
        code = error.code
        # Nothing that came from outside stands in the text.
        assert not data or data[:8].hex() not in str(error)
    assert code == expect
    after = dump(path)
    if any(key[0] == OWED for key, _ in after):
        # A device is to be asked for what did not open, and nothing else changes.
        before, after = untold(before), untold(after)
    assert after == before


def answer(device: Device, kind: RequestKind, data: bytes) -> None:
    """Answers the first request of this kind with one thing, as ``docs/wire.md`` has it."""
    request = device.next_request()
    while request is not None and request.kind is not kind:
        request = device.next_request()
    assert request is not None
    one = b"\x01" + len(data).to_bytes(2) + data
    answered = device.respond(request.id, 200, len(one).to_bytes(4) + one)
    assert answered.known and answered.items == () and answered.problem is None
