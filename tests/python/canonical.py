"""Chapters 1 and 2 of the specification: canonical and edge JSON, decimals, times, texts and identifiers.

Everything here is a pure function that returns a value or raises `Refused`.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import re
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

SINGLE_AMOUNT_MAX = 2**96 - 1
COUNT_MAX = 2**64 - 1
NUMBER_MAX = 2**62
TREE_SIZE_MAX = 2**63 - 1
TIME_MAX_MS = 253402300799999
EDGE_DEPTH_MAX = 32
SHARES_SUM = 1_000_000
FREE_TEXT_MAX = 1024


class Refused(Exception):
    """The first difference: which rule of the specification, where, what was expected, what came."""

    def __init__(self, rule: str, where: str, expected: object, got: object) -> None:
        super().__init__(rule, where, expected, got)
        self.rule = rule
        self.where = where
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"rule:     {self.rule}\nwhere:    {self.where}\nexpected: {self.expected}\ngot:      {self.got}"


def refuse(rule: str, where: str, expected: object, got: object) -> NoReturn:
    """Stop at the first difference."""
    raise Refused(rule, where, expected, got)


def demand_equal(rule: str, where: str, expected: object, got: object) -> None:
    """Stop unless both are the same."""
    if expected != got:
        refuse(rule, where, expected, got)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Puts the place in front of `where` in every refusal inside."""
    try:
        yield
    except Refused as refused:
        where = f"{place}: {refused.where}" if refused.where else place
        raise Refused(refused.rule, where, refused.expected, refused.got) from refused


# Hashes and base64 (1.1)


def sha256(data: bytes) -> bytes:
    """SHA-256 without any prefix."""
    return hashlib.sha256(data).digest()


def read_base64(text: str, where: str) -> bytes:
    """Standard base64 with padding, in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        refuse("1.1 base64", where, "standard base64 with padding", text)
    if base64.b64encode(data).decode("ascii") != text:
        refuse("1.1 base64 is canonical", where, base64.b64encode(data).decode("ascii"), text)
    return data


def write_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def read_base64_hash(text: str, where: str) -> bytes:
    """A hash in base64: 44 characters."""
    data = read_base64(text, where)
    if len(data) != 32:
        refuse("1.1 hash as base64", where, "32 bytes", f"{len(data)} bytes")
    return data


def read_hex(text: object, where: str) -> bytes:
    """A hash in hex: 64 lower-case digits."""
    return bytes.fromhex(read_form(text, r"[0-9a-f]{64}", "1.1 hash as hex", where))


# Numbers (1.3)


def read_decimal(text: object, largest: int, where: str, least: int = 0) -> int:
    """A decimal between two bounds."""
    if not isinstance(text, str) or not re.fullmatch(r"0|[1-9][0-9]*", text):
        refuse("1.3 decimals", where, "ASCII digits without sign or leading zero, in a string", text)
    if len(text) > 40 or not least <= int(text) <= largest:
        refuse("1.3 bounds of numbers", where, f"{least} to {largest}", text)
    return int(text)


# Times (1.6)


def write_time(milliseconds: int) -> str:
    """The one form of a time."""
    seconds, rest = divmod(milliseconds, 1000)
    days, second = divmod(seconds, 86400)
    day = datetime.date.fromordinal(datetime.date(1970, 1, 1).toordinal() + days)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{day.year:04}-{day.month:02}-{day.day:02}T{clock}.{rest:03}Z"


EDGE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


def read_edge_time(text: object, where: str) -> int:
    """A time as event lines may spell it, in milliseconds."""
    rule = "1.6 times"
    match = EDGE_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        refuse(rule, where, "YYYY-MM-DDTHH:MM:SS[.fraction](Z or offset)", text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = (match.group(7) or "").ljust(9, "0")
    offset_hour, offset_minute = int(match.group(9) or 0), int(match.group(10) or 0)
    if hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        refuse(rule, where, "a time of day that exists", text)
    if fraction[3:] != "000000":
        refuse(rule, where, "at most milliseconds", text)
    try:
        days = datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        refuse(rule, where, "a date of the calendar", text)
    sign = -1 if match.group(8) == "-" else 1
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - sign * (offset_hour * 3600 + offset_minute * 60)
    value = seconds * 1000 + int(fraction[:3])
    if not 0 <= value <= TIME_MAX_MS:
        refuse(rule, where, "from 1970 to the end of 9999", text)
    return value


def read_time(text: object, where: str) -> int:
    """A time in its one form, in milliseconds."""
    value = read_edge_time(text, where)
    demand_equal("1.6 the one form of a time", where, write_time(value), text)
    return value


# Texts (1.7)

HIDDEN = [
    (0x00AD, 0x00AD), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
    (0xE0000, 0xE0FFF),
]  # fmt: skip


def is_hidden(character: str) -> bool:
    """Whether visible text must not contain the character."""
    code = ord(character)
    control = code <= 0x1F or 0x7F <= code <= 0x9F
    return control or code & 0xFFFE == 0xFFFE or any(first <= code <= last for first, last in HIDDEN)


def read_visible(text: object, limit: int, where: str) -> str:
    """Visible text of 1 to `limit` bytes."""
    if not isinstance(text, str):
        refuse("1.7 visible text", where, "a string", text)
    size = len(text.encode("utf-8"))
    if not 1 <= size <= limit:
        refuse("1.7 visible text", where, f"1 to {limit} bytes", f"{size} bytes")
    if text.isspace():
        refuse("1.7 visible text", where, "a visible character", "only spaces")
    if text.isascii() and text.isprintable():
        return text
    if any(is_hidden(character) for character in text):
        refuse("1.7 visible text", where, "no control or invisible characters", ascii(text))
    if not unicodedata.is_normalized("NFC", text):
        refuse("1.7 visible text", where, "normalisation form NFC", ascii(text))
    return text


def read_free(text: object, where: str) -> str:
    """Free text."""
    return read_visible(text, FREE_TEXT_MAX, where)


# JSON (1.4, 1.5)

SURROGATE = re.compile("[\ud800-\udfff]")


def write_string(text: str) -> str:
    """A string with the escapes of canonical JSON, which are those that `json` writes outside of ASCII mode."""
    return json.dumps(text, ensure_ascii=False)


def write_canonical(value: Any) -> str:
    """Canonical JSON of objects, arrays, strings and booleans."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(write_canonical, value)) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{write_string(name)}:{write_canonical(value[name])}" for name in names) + "}"
    refuse("1.4 canonical JSON", "", "object, array, string or boolean", repr(value))


def read_utf8(data: bytes, where: str) -> str:
    """Bytes as UTF-8, without a byte order mark."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse("1.2 text is UTF-8", where, "UTF-8", f"byte {error.start}: {error.reason}")
    if text.startswith("\ufeff"):
        refuse("1.5 no byte order mark", where, "no byte order mark", "U+FEFF")
    return text


def parse_json(text: str, numbers: bool, where: str) -> Any:
    """JSON without null, repeated fields, lone surrogates; integers of at most 2^53 - 1 as strings if `numbers`."""
    rule = "1.5 edge JSON" if numbers else "1.4 canonical JSON"

    def integer(spelling: str) -> str:
        small = len(spelling) <= 17 and abs(int(spelling)) <= 2**53 - 1 and spelling != "-0"
        if not (numbers and small):
            refuse(rule, where, "a string", f"the number {spelling}")
        return spelling

    def other(spelling: str) -> NoReturn:
        refuse(rule, where, "a string", f"the number {spelling}")

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            refuse(rule, where, "each field once", twice)
        return dict(pairs)

    try:
        value = json.loads(text, parse_int=integer, parse_float=other, parse_constant=other, object_pairs_hook=fields)
    except (json.JSONDecodeError, RecursionError) as error:
        refuse(rule, where, "JSON", str(error))
    check_value(value, rule, where, EDGE_DEPTH_MAX)
    return value


def check_value(value: Any, rule: str, where: str, depth: int) -> None:
    """Refuses null, lone surrogates and more levels than `depth`."""
    if value is None:
        refuse(rule, where, "an absent field instead of null", "null")
    if isinstance(value, str) and SURROGATE.search(value):
        refuse(rule, where, "no lone surrogates", ascii(value))
    if isinstance(value, (list, dict)):
        if depth == 0:
            refuse(rule, where, f"at most {EDGE_DEPTH_MAX} nested arrays or objects", "more")
        inner = value if isinstance(value, list) else [*value.keys(), *value.values()]
        for each in inner:
            check_value(each, rule, where, depth - 1)


def read_edge(data: bytes, where: str) -> Any:
    """Edge JSON."""
    return parse_json(read_utf8(data, where), True, where)


def read_canonical(data: bytes, where: str) -> Any:
    """A canonical document: exactly the bytes that `write_canonical` gives."""
    text = read_utf8(data, where)
    value = parse_json(text, False, where)
    demand_equal("1.4 canonical JSON", where, write_canonical(value), text)
    return value


def take(value: Any, required: str, optional: str = "", where: str = "") -> dict[str, Any]:
    """An object with all of the required fields and perhaps some of the optional, and no others."""
    if not isinstance(value, dict):
        refuse("1.4 fields", where, "an object", value)
    for name in required.split():
        if name not in value:
            refuse("1.4 missing field", where, name, sorted(value))
    for name in value:
        if name not in required.split() + optional.split():
            refuse("1.4 unknown field", where, f"{required} {optional}".strip(), name)
    return value


def take_array(value: Any, least: int, most: int, where: str) -> list[Any]:
    """An array of `least` to `most` items."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        refuse("1.4 fields", where, f"an array of {least} to {most}", value)
    return value


def read_boolean(value: Any, where: str) -> bool:
    """`true` or `false`."""
    if value is not True and value is not False:
        refuse("1.4 fields", where, "true or false", value)
    return bool(value)


def demand_version(value: object, version: str, where: str) -> None:
    """The field `v` or `format`."""
    demand_equal("1.4 the document's version", where, version, value)


# Identifiers (chapter 2)


def read_form(text: object, form: str, rule: str, where: str) -> str:
    """Text of the form of a regular expression."""
    if not isinstance(text, str) or not re.fullmatch(form, text):
        refuse(rule, where, form, text)
    return text


def read_uuid(text: object, where: str) -> str:
    """A node, scope or user id."""
    return read_form(text, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "2 ids are lower-case UUIDs", where)


def read_origin(text: object, where: str) -> str:
    """A node origin."""
    origin = read_form(text, r"[a-z0-9][a-z0-9.\-:/_~]{0,127}", "2 node origin", where)
    if "://" in origin or any(part in ("", ".", "..") for part in origin.split("/")):
        refuse("2 node origin", where, "no ://, no empty part, no dots alone", origin)
    return origin


def read_scope_key(text: object, where: str) -> str:
    """A scope key."""
    return read_form(text, r"[a-z][a-z0-9-]{0,31}", "2 scope key", where)


def read_source(text: object, where: str) -> str:
    """A source."""
    return read_form(text, r"[a-z][a-z0-9-]{0,31}", "2 source", where)


def read_event_type(text: object, where: str) -> str:
    """An event type."""
    return read_form(text, r"[a-z][a-z0-9_]{0,63}", "2 event type", where)


def read_event_id(text: object, where: str) -> str:
    """An event id."""
    return read_form(text, r"[\x21-\x7e]{1,512}", "2 event id", where)


def read_component(text: object, where: str) -> str:
    """A pool component."""
    return read_form(text, r"[a-z][a-z0-9_]{0,63}", "2 pool component", where)


def scope_id(node: str, key: str) -> str:
    """The id of a scope (UUID version 5)."""
    return str(uuid.uuid5(uuid.UUID(node), key))


EXTERNAL_IDS = {
    "discord": r"[1-9][0-9]{0,19}",
    "github": r"[1-9][0-9]{0,19}",
    "ed25519": r"[0-9a-f]{64}",
    "git": r"[0-9a-f]{64}",
    "wallet": r"0x[0-9a-f]{40}",
}


def read_identity(text: object, where: str) -> str:
    """`identity:<provider>:<external id>` (2.1)."""
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 3 or parts[0] != "identity" or parts[1] not in EXTERNAL_IDS:
        refuse("2.1 identity", where, "identity:<provider>:<external id>", text)
    read_form(parts[2], EXTERNAL_IDS[parts[1]], "2.1 external id", where)
    return ":".join(parts)


def read_user(text: object, where: str) -> str:
    """`user:<user id>`."""
    if not isinstance(text, str) or not text.startswith("user:"):
        refuse("2.2 user", where, "user:<user id>", text)
    read_uuid(text.removeprefix("user:"), where)
    return text


def read_claimant(text: object, where: str) -> str:
    """Who earns (2.2)."""
    if isinstance(text, str) and text.startswith("user:"):
        return read_user(text, where)
    return read_identity(text, where)
