#!/usr/bin/env python3
"""Opens sealed.key without any code of meed: python3 open_sealed.py

OpenSSL's argon2id and ChaCha20-Poly1305 by the package `cryptography`; HChaCha20, which XChaCha20 needs beside
them, is written out here (draft-irtf-cfrg-xchacha). Prints the seed in hex: 42 (0x2a), 32 times.
"""
import base64, hashlib, pathlib, struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

PASSPHRASE = b"correct horse battery staple"


def rotate(x, n):
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def quarter_round(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        s[z] = rotate(s[z] ^ s[x], n)


def hchacha20(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for a in range(4):
            quarter_round(s, a, 4 + a, 8 + a, 12 + a)
        for a in range(4):
            quarter_round(s, a, 4 + (a + 1) % 4, 8 + (a + 2) % 4, 12 + (a + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


text = (pathlib.Path(__file__).parent / "sealed.key").read_text()
header, rest = text.split("secret: ")
secret, checksum, _ = rest.split("\n")
assert checksum == "checksum: " + hashlib.sha256(f"{header}secret: {secret}\n".encode()).hexdigest()
_, _, memory, passes, lanes, salt, nonce = header.splitlines()[3].split(" ")
salt, nonce = base64.b64decode(salt), base64.b64decode(nonce)
key = Argon2id(salt=salt, length=32, iterations=int(passes), lanes=int(lanes), memory_cost=int(memory)).derive(PASSPHRASE)
cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
print(cipher.decrypt(bytes(4) + nonce[16:], base64.b64decode(secret), header.encode()).hex())
