"""Notation, primitives and checks of docs/wire.md 1. What is refused is `Refused`, with the code of docs/wire.md 14.

X25519, Ed25519, ML-KEM-1024, HKDF and AES-256-GCM come from the `cryptography` package. What the page asks of points beyond them is computed
here with integers: slowly, and not in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import TypeVar

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
T = TypeVar("T")


class Refused(Exception):
    """An input that is not taken, and the number of the code that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def check(holds: bool, code: int) -> None:
    if not holds:
        raise Refused(code)


def h(text: str) -> bytes:
    """The bytes of a vector."""
    return bytes.fromhex(text)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def opaque(length_bytes: int, data: bytes) -> bytes:
    return len(data).to_bytes(length_bytes, "big") + data


def join(*fields: bytes) -> bytes:
    return b"".join(opaque(4, part) for part in fields)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt or bytes(32), info).derive(ikm)


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private: bytes, theirs: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(theirs))


def seal(key: bytes, nonce: bytes, plain: bytes, ad: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plain, ad)


def unseal(key: bytes, nonce: bytes, sealed: bytes, ad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, sealed, ad)
    except InvalidTag:
        raise Refused(209) from None


class Reader:
    """Bytes, read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        part = self.data[self.at : self.at + length]
        check(len(part) == length, 201)
        self.at += length
        return part

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def opaque(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))

    def optional(self, read: Callable[[], T]) -> T | None:
        there = self.number(1)
        check(there <= 1, 203)
        return read() if there else None

    def each(self, length_bytes: int, read: Callable[[Reader], T]) -> list[T]:
        """A vector: its length counts bytes."""
        inner = Reader(self.opaque(length_bytes))
        found = []
        while inner.at < len(inner.data):
            found.append(read(inner))
        return found

    def names(self, length_bytes: int) -> list[bytes]:
        """A vector of 32 bytes each."""
        return self.each(length_bytes, lambda r: r.take(32))

    def end(self) -> None:
        check(self.at == len(self.data), 202)


def versioned(data: bytes) -> Reader:
    """A form whose first byte is its version: another version may have another layout."""
    check(data[:1] in (b"\x01", b""), 205)
    return Reader(data)


def user_id(name: bytes) -> bytes:
    check(len(name) >= 1, 203)
    check(len(name) <= 64, 204)
    return name


# Points of edwards25519 as (x, y).
def plus(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, other
    twist = -121665 * pow(121666, -1, P) * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + twist, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - twist, -1, P) % P


def is_small(point: tuple[int, int]) -> bool:
    for _ in range(3):
        point = plus(point, point)
    return point == (0, 1)


def decompressed(encoded: bytes) -> tuple[int, int] | None:
    """RFC 8032 5.1.3; None for what is no canonical point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(-121665 * pow(121666, -1, P) * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign == 1):
        return None
    return (x if x % 2 == sign else P - x), y


def verifying_key(encoded: bytes) -> bytes:
    """An Ed25519 key: a canonical point that is not of small order."""
    point = decompressed(encoded)
    check(point is not None, 208)
    assert point
    check(not is_small(point), 207)
    return encoded


def verify(key: bytes, label: bytes, message: bytes, signature: bytes) -> None:
    """The strict rule. OpenSSL compares R as bytes with sB - hA, which is the equation without the cofactor, and refuses s >= L."""
    commitment = decompressed(signature[:32])
    check(commitment is not None and not is_small(commitment), 302)
    check(int.from_bytes(signature[32:], "little") < L, 302)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, join(label, message))
    except InvalidSignature:
        raise Refused(302) from None


def ladder(scalar: int, u: int) -> bool:
    """Whether scalar times the Montgomery point u is the neutral element: RFC 7748 5 without clamping, and Z of the result."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for at in reversed(range(scalar.bit_length())):
        bit = scalar >> at & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return z2 == 0


def point(encoded: bytes) -> bytes:
    """An X25519 key: canonical, on the curve and not on its twist, of order L."""
    u = int.from_bytes(encoded, "little")
    check(u < P, 208)
    on_curve = pow(u * (u * u + 486662 * u + 1), (P - 1) // 2, P) == 1
    check(on_curve and ladder(L, u), 207)
    return encoded


def kem_key(encoded: bytes) -> bytes:
    """ML-KEM-1024's modulus check (FIPS 203 7.2): each of 4 x 256 coefficients of 12 bits is below q."""
    check(all(coefficient < 3329 for coefficient in coefficients(encoded[:1536])), 208)
    return encoded


def coefficients(data: bytes) -> Iterator[int]:
    for at in range(0, len(data), 3):
        three = int.from_bytes(data[at : at + 3], "little")
        yield three & 0xFFF
        yield three >> 12
