"""Chapters 14, 17.2 and 18 of the specification: signed notes, verifier keys, checkpoints, inclusion proofs as text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import ed25519
from canonical import (
    TREE_SIZE_MAX,
    demand_equal,
    read_base64,
    read_base64_hash,
    read_decimal,
    refuse,
    sha256,
    write_base64,
)
from merkle import EMPTY_ROOT, check_inclusion, leaf_hash

NOTE_MAX = 65535
SIGNATURES_MAX = 100
PROOF_MAX = 1_048_576
PATH_MAX = 63
LOG_KEY = 1
COSIGNER = 4


def read_key_name(name: str, where: str) -> str:
    """A key name (14.1)."""
    bad = [each for each in name if each.isspace() or unicodedata.category(each) == "Cc" or each == "+"]
    if bad or not 1 <= len(name.encode("utf-8")) <= 255:
        refuse("14.1 key name", where, "1 to 255 bytes without white space, control characters and +", ascii(name))
    return name


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The key id (14.2)."""
    return sha256(name.encode("utf-8") + b"\n" + bytes([kind]) + public)[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A verifier key (14.2)."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes that signature lines carry."""
        return key_id(self.name, self.kind, self.public)

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{self.name}+{self.id.hex()}+{write_base64(bytes([self.kind]) + self.public)}"

    def named(self, name: str) -> VerifierKey:
        """The same public key under another name (14.5)."""
        return VerifierKey(name, self.kind, self.public)


def read_key(text: object, kind: int, where: str) -> VerifierKey:
    """A verifier key of one type."""
    rule = "14.2 verifier key"
    parts = text.split("+", 2) if isinstance(text, str) else []
    if len(parts) != 3:
        refuse(rule, where, "<name>+<key id>+<base64>", text)
    data = read_base64(parts[2], where)
    if len(data) != 33 or data[0] != kind:
        refuse(rule, where, f"type 0x{kind:02x} and 32 bytes", data.hex())
    key = VerifierKey(read_key_name(parts[0], where), kind, data[1:])
    demand_equal(rule, where, key.text, text)
    if not ed25519.is_public_key(key.public):
        refuse("14.3 public keys", where, "the one encoding of a point that is not of small order", key.public.hex())
    return key


@dataclass(frozen=True)
class Signature:
    """A signature line, not yet checked."""

    name: str
    key_id: bytes
    data: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line names the key."""
        return (self.name, self.key_id) == (key.name, key.id)

    def line(self) -> str:
        """The line without its end."""
        return f"— {self.name} {write_base64(self.key_id + self.data)}"


@dataclass(frozen=True)
class Note:
    """A signed note; `raw` is the whole of it."""

    text: str
    signatures: list[Signature]
    raw: str


def read_note(raw: str, where: str) -> Note:
    """A signed note (14.1)."""
    rule = "14.1 signed note"
    if len(raw.encode("utf-8")) > NOTE_MAX:
        refuse(rule, where, f"at most {NOTE_MAX} bytes", len(raw.encode("utf-8")))
    if re.search(r"[\x00-\x09\x0b-\x1f]", raw):
        refuse(rule, where, "no characters below U+0020 but line ends", "one")
    middle = raw.rfind("\n\n")
    if middle < 0 or not raw.endswith("\n"):
        refuse(rule, where, "a text, an empty line, and signature lines", ascii(raw[-80:]))
    lines = raw[middle + 2 :].split("\n")[:-1]
    if not 1 <= len(lines) <= SIGNATURES_MAX:
        refuse(rule, where, f"1 to {SIGNATURES_MAX} signature lines", len(lines))
    return Note(raw[: middle + 1], [read_signature(line, where) for line in lines], raw)


def read_signature(line: str, where: str) -> Signature:
    """One signature line."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        refuse("14.1 signature line", where, "— <key name> <base64>", line)
    data = read_base64(parts[2], where)
    if not 5 <= len(data) <= 4 + 8192:
        refuse("14.1 signature line", where, "4 bytes of key id and 1 to 8192 of signature", f"{len(data)} bytes")
    return Signature(read_key_name(parts[1], where), data[:4], data[4:])


def verify_line(key: VerifierKey, text: str, line: Signature) -> int | None:
    """The time in seconds of a valid line by the key (0 for a log, which signs no time), else nothing (14.2)."""
    message = text.encode("utf-8")
    if not line.is_by(key):
        return None
    if key.kind == LOG_KEY:
        return 0 if ed25519.verify(key.public, message, line.data) else None
    if len(line.data) != 72:
        return None
    time = int.from_bytes(line.data[:8], "big")
    signed = f"cosignature/v1\ntime {time}\n".encode() + message
    return time if ed25519.verify(key.public, signed, line.data[8:]) else None


def check_node_line(note: Note, origin: str, publics: list[bytes], rule: str, where: str) -> list[Signature]:
    """Exactly one line is named by the origin line, and it is a log key's (14.5). Returns the other lines."""
    own = [line for line in note.signatures if line.name == origin]
    demand_equal(rule, f"{where}: lines named {origin}", 1, len(own))
    keys = [VerifierKey(origin, LOG_KEY, public) for public in publics]
    if not any(verify_line(key, note.text, own[0]) is not None for key in keys):
        refuse(rule, where, "a valid line of the node: " + " or ".join(key.text for key in keys), own[0].line())
    return [line for line in note.signatures if line.name != origin]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint (17.2)."""

    origin: str
    size: int
    root: bytes
    extensions: list[str]


def read_checkpoint(text: str, where: str) -> Checkpoint:
    """A checkpoint's text."""
    rule = "17.2 checkpoint"
    if re.search(r"[\x00-\x09\x0b-\x1f]", text) or not text.endswith("\n") or len(text.encode("utf-8")) > NOTE_MAX:
        refuse(rule, where, f"lines ended by \\n, at most {NOTE_MAX} bytes", ascii(text[-80:]))
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or "" in lines:
        refuse(rule, where, "origin, size, root, and no empty line", lines)
    size = read_decimal(lines[1], TREE_SIZE_MAX, where)
    tree_root = read_base64_hash(lines[2], where)
    if size == 0:
        demand_equal(rule, where, EMPTY_ROOT.hex(), tree_root.hex())
    return Checkpoint(lines[0], size, tree_root, lines[3:])


def write_checkpoint(checkpoint: Checkpoint) -> str:
    """The text of a checkpoint."""
    lines = [checkpoint.origin, str(checkpoint.size), write_base64(checkpoint.root), *checkpoint.extensions]
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class TlogProof:
    """An inclusion proof as text (18.1), not yet checked."""

    extra: bytes | None
    index: int
    path: list[bytes]
    note: Note
    checkpoint: Checkpoint

    def check(self, leaf: bytes, where: str) -> None:
        """The leaf is in the checkpoint's tree at the index."""
        size, expected = self.checkpoint.size, self.checkpoint.root
        check_inclusion(leaf_hash(leaf), self.index, size, expected, self.path, where)


def read_tlog_proof(text: str, where: str) -> TlogProof:
    """The one spelling of an inclusion proof (18.1)."""
    rule = "18.1 inclusion proof"
    if len(text.encode("utf-8")) > PROOF_MAX:
        refuse(rule, where, f"at most {PROOF_MAX} bytes", len(text.encode("utf-8")))
    if re.search(r"[\x00-\x09\x0b-\x1f]", text):
        refuse(rule, where, "no characters below U+0020 but line ends", "one")
    head, parted, raw = text.partition("\n\n")
    lines = head.split("\n")
    if not parted or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        refuse(rule, where, "c2sp.org/tlog-proof@v1 and an empty line before the checkpoint", ascii(text[:80]))
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = read_base64(lines.pop(0).removeprefix("extra "), where)
        if not 1 <= len(extra) <= NOTE_MAX:
            refuse(rule, where, f"1 to {NOTE_MAX} bytes of extra data", len(extra))
    if not lines or not lines[0].startswith("index "):
        refuse(rule, where, "index <decimal>", lines[:1])
    index = read_decimal(lines.pop(0).removeprefix("index "), TREE_SIZE_MAX - 1, where)
    if len(lines) > PATH_MAX:
        refuse(rule, where, f"at most {PATH_MAX} hashes", len(lines))
    path = [read_base64_hash(line, where) for line in lines]
    note = read_note(raw, where)
    return TlogProof(extra, index, path, note, read_checkpoint(note.text, where))
