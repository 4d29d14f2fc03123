"""Ed25519 as chapter 14.3 of the specification counts it: strict encodings, no small order, no cofactor.

Written from RFC 8032 for checking; nothing here is constant in time. `sign` serves the tests.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, x·y = T/Z."""

IDENTITY: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def multiply(factor: int, point: Point) -> Point:
    """The point, `factor` times."""
    result = IDENTITY
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def negate(point: Point) -> Point:
    """The inverse of a point."""
    return (-point[0] % P, point[1], point[2], -point[3] % P)


def encode(point: Point) -> bytes:
    """The one encoding of a point."""
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of an encoding, if it is the one encoding of a point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def is_small(point: Point) -> bool:
    """Whether eight times the point is the identity."""
    eightfold = multiply(8, point)
    return eightfold[0] % P == 0 and (eightfold[1] - eightfold[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = decode(BASE_Y.to_bytes(32, "little")) or IDENTITY


@lru_cache(maxsize=4096)
def is_public_key(public: bytes) -> bool:
    """Whether the bytes are the one encoding of a point that is not of small order."""
    point = decode(public)
    return point is not None and not is_small(point)


@lru_cache(maxsize=65536)
def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Strict verification. Cached, because proofs of one epoch repeat its signatures."""
    if len(signature) != 64 or not is_public_key(public) or not is_public_key(signature[:32]):
        return False
    scalar = int.from_bytes(signature[32:], "little")
    key = decode(public)
    if scalar >= ORDER or key is None:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return encode(add(multiply(scalar, BASE), multiply(challenge, negate(key)))) == signature[:32]


def expand(seed: bytes) -> tuple[int, bytes]:
    """The secret scalar and the prefix of a seed."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    return scalar, digest[32:]


def public_key(seed: bytes) -> bytes:
    """The public key of a seed."""
    return encode(multiply(expand(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of RFC 8032."""
    scalar, prefix = expand(seed)
    public = encode(multiply(scalar, BASE))
    nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % ORDER
    commitment = encode(multiply(nonce, BASE))
    challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % ORDER
    return commitment + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")
