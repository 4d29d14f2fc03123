"""Chapters 4 to 6 of the specification: events from lines to leaves, and the epoch each belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from canonical import (
    EXTERNAL_IDS,
    SHARES_SUM,
    Refused,
    at,
    demand_equal,
    demand_version,
    read_canonical,
    read_decimal,
    read_edge,
    read_edge_time,
    read_event_id,
    read_event_type,
    read_form,
    read_free,
    read_hex,
    read_source,
    read_time,
    read_uuid,
    read_visible,
    refuse,
    sha256,
    take,
    take_array,
    write_canonical,
    write_time,
)

LINE_MAX = 65536
METADATA_MAX = 32768
LEAF_MAX = 16384
SCOPES_MAX = 16
AHEAD_MAX_MS = 600_000
AUTHORS_MAX = 100

SAME = ("authors", "event_time", "event_type", "id", "payload_hash", "source", "source_ref")
"""The fields that make two events the same (4.6)."""

LINE_REQUIRED = "id source source_ref event_type event_time payload_hash producer producer_version retrieved_at"
LINE_OPTIONAL = "authors platform_user_id metadata platform_login artifact_url"


@dataclass(frozen=True)
class Event:
    """An event without the fields that a node adds: `fields` are those of the leaf but `metadata_hash` and `scopes`."""

    fields: dict[str, Any]
    metadata: bytes = b"{}"

    @property
    def id(self) -> str:
        """The event id."""
        return str(self.fields["id"])

    @property
    def type(self) -> str:
        """The type as policies name it (7.1)."""
        return f"{self.fields['source']}:{self.fields['event_type']}"

    @cached_property
    def time(self) -> int:
        """When it happened, in milliseconds."""
        return read_time(self.fields["event_time"], self.id)

    def content(self) -> bytes:
        """The content hash (4.6)."""
        return sha256(write_canonical({name: self.fields[name] for name in SAME}).encode())

    def shares(self) -> list[tuple[str, int]]:
        """The authors as identities with their parts per million."""
        return [(f"identity:{each['provider']}:{each['id']}", int(each["share"])) for each in self.fields["authors"]]


def read_common(value: dict[str, Any], where: str) -> None:
    """The fields that lines and leaves have alike, except authors and times."""
    read_event_id(value["id"], f"{where} id")
    read_source(value["source"], f"{where} source")
    read_visible(value["source_ref"], 512, f"{where} source_ref")
    read_event_type(value["event_type"], f"{where} event_type")
    read_hex(value["payload_hash"], f"{where} payload_hash")
    read_visible(value["producer"], 128, f"{where} producer")
    read_visible(value["producer_version"], 128, f"{where} producer_version")


def read_author(value: Any, with_share: bool, where: str) -> dict[str, str]:
    """One author of a line or leaf."""
    take(value, "id provider share" if with_share else "id provider", "" if with_share else "share", where)
    provider = value["provider"]
    if not isinstance(provider, str) or provider not in EXTERNAL_IDS:
        refuse("2.1 providers", where, sorted(EXTERNAL_IDS), provider)
    read_form(value["id"], EXTERNAL_IDS[provider], "2.1 external id", where)
    if "share" in value:
        read_decimal(value["share"], SHARES_SUM, where, 1)
    return dict(value)


def read_authors(values: list[Any], where: str) -> list[dict[str, str]]:
    """Authors of a line, sorted and with shares (4.3)."""
    authors = [read_author(value, False, where) for value in values]
    authors.sort(key=lambda author: (author["provider"], author["id"]))
    if len({(author["provider"], author["id"]) for author in authors}) < len(authors):
        refuse("4.3 an author stands once only", where, "distinct authors", authors)
    given = [author for author in authors if "share" in author]
    if not given:
        each, more = divmod(SHARES_SUM, len(authors))
        shares = [each + (place < more) for place in range(len(authors))]
    elif len(given) == len(authors):
        shares = [int(author["share"]) for author in authors]
    else:
        refuse("4.3 shares", where, "a share for every author or for none", f"{len(given)} of {len(authors)}")
    demand_equal("4.3 sum of shares", where, SHARES_SUM, sum(shares))
    return [
        {"id": author["id"], "provider": author["provider"], "share": str(share)}
        for author, share in zip(authors, shares, strict=True)
    ]


def read_line(line: bytes, where: str) -> Event:
    """One line as an event (4.1). The node's clock is unknown here, so `retrieved_at` is not held against it (4.2)."""
    if len(line) > LINE_MAX:
        refuse("4.1 size of a line", where, f"at most {LINE_MAX} bytes", len(line))
    value = take(read_edge(line, where), LINE_REQUIRED, LINE_OPTIONAL, where)
    read_common(value, where)
    if ("authors" in value) == ("platform_user_id" in value):
        refuse("4.1 authors", where, "one of authors and platform_user_id", sorted(value))
    if "authors" in value:
        authors = take_array(value["authors"], 1, AUTHORS_MAX, where)
    else:
        authors = [{"provider": value["source"], "id": value["platform_user_id"]}]
    retrieved = read_edge_time(value["retrieved_at"], f"{where} retrieved_at")
    happened = read_edge_time(value["event_time"], f"{where} event_time")
    if happened > retrieved + AHEAD_MAX_MS:
        refuse("4.2 times", where, "event_time at most 10 minutes after retrieved_at", value["event_time"])
    copied = ("id", "source", "source_ref", "event_type", "payload_hash", "producer", "producer_version")
    fields = {name: value[name] for name in copied}
    fields["authors"] = read_authors(authors, f"{where} authors")
    fields["event_time"] = write_time(happened)
    fields["retrieved_at"] = write_time(retrieved)
    event = Event(fields, read_metadata(value, where))
    size = len(leaf_of(event, bytes(32), ["0" * 36] * SCOPES_MAX))
    if size > LEAF_MAX:
        refuse("4.5 size of a leaf", where, f"at most {LEAF_MAX} bytes with 16 scopes", size)
    return event


def read_metadata(value: dict[str, Any], where: str) -> bytes:
    """The canonical metadata of a line (4.1, 4.4)."""
    metadata = value.get("metadata", {})
    if not isinstance(metadata, dict):
        refuse("4.1 metadata", where, "an object", metadata)
    metadata = dict(metadata)
    for name in ("platform_login", "artifact_url"):
        if name in value:
            if name in metadata:
                refuse("4.1 metadata", where, f"{name} once", "also in metadata")
            metadata[name] = read_free(value[name], f"{where} {name}")
    data = write_canonical(metadata).encode()
    if len(data) > METADATA_MAX:
        refuse("4.4 size of metadata", where, f"at most {METADATA_MAX} bytes", len(data))
    return data


def metadata_hash(salt: bytes, metadata: bytes) -> bytes:
    """What binds the metadata (4.4)."""
    return sha256(salt + metadata)


def leaf_of(event: Event, bound: bytes, scopes: list[str]) -> bytes:
    """The leaf of an event (5.2)."""
    added = {"metadata_hash": bound.hex(), "scopes": scopes, "v": "meed/event/v1"}
    return write_canonical({**event.fields, **added}).encode()


LEAF_FIELDS = (
    "authors event_time event_type id metadata_hash payload_hash producer producer_version retrieved_at scopes source"
    " source_ref v"
)


def read_leaf(leaf: str, where: str) -> tuple[Event, list[str]]:
    """An event leaf (5.2): the event and the scopes that it names."""
    if len(leaf.encode("utf-8")) > LEAF_MAX:
        refuse("5.2 size of a leaf", where, f"at most {LEAF_MAX} bytes", len(leaf))
    value = take(read_canonical(leaf.encode("utf-8"), where), LEAF_FIELDS, "", where)
    demand_version(value["v"], "meed/event/v1", where)
    read_common(value, where)
    read_hex(value["metadata_hash"], where)
    authors = [read_author(each, True, where) for each in take_array(value["authors"], 1, AUTHORS_MAX, where)]
    demand_equal("4.3 authors are sorted, with shares", where, read_authors(authors, where), authors)
    if read_time(value["event_time"], where) > read_time(value["retrieved_at"], where) + AHEAD_MAX_MS:
        refuse("4.2 times", where, "event_time at most 10 minutes after retrieved_at", value["event_time"])
    scopes = [read_uuid(each, where) for each in take_array(value["scopes"], 0, SCOPES_MAX, where)]
    demand_equal("5.2 scopes ascend", where, sorted(set(scopes)), scopes)
    added = ("metadata_hash", "scopes", "v")
    return Event({name: value[name] for name in value if name not in added}), scopes


@dataclass(frozen=True)
class Window:
    """A closed epoch: its window in milliseconds and the size of the events log at close."""

    start: int
    end: int
    log_size: int


def check_windows(windows: list[Window], where: str) -> None:
    """Windows ascend without overlap, and N never falls (6.1, 6.3)."""
    for number, window in enumerate(windows, 1):
        if window.start >= window.end:
            refuse("6.1 an epoch is [start, end)", f"{where}: epoch {number}", "a start before the end", window)
    for number, (old, new) in enumerate(pairwise(windows), 2):
        if new.start < old.end:
            refuse("6.1 windows never overlap", f"{where}: epoch {number}", f"a start from {old.end}", new.start)
        if new.log_size < old.log_size:
            refuse("6.3 N never falls", f"{where}: epoch {number}", f"at least {old.log_size}", new.log_size)


ANCHOR = 1_767_571_200_000
DAY = 86_400_000


def check_layout(windows: list[Window], days: int, where: str) -> None:
    """Windows are whole weeks, laid from the anchor (6.2); the last one has the length of the epoch's policy."""
    for number, window in enumerate(windows, 1):
        length = window.end - window.start
        whole = length % (7 * DAY) == 0 and length <= 364 * DAY and (window.start - ANCHOR) % length == 0
        if not whole or (number == len(windows) and length != days * DAY):
            refuse("6.2 layout of a window", f"{where}: epoch {number}", f"whole weeks; {days} days in the last", window)


def epoch_of(time: int, index: int, windows: list[Window]) -> tuple[int, bool] | None:
    """Rule EPOCH_BY_EVENT_TIME (6.4) for closed epochs: the epoch's number and whether the event is late there."""
    if not windows or time < windows[0].start:
        return None
    for number, window in enumerate(windows, 1):
        if time < window.end and index < window.log_size:
            return number, time < window.start
    return None


@dataclass
class Imported:
    """What a node stores of lines in order: each event at its index; what it keeps out is counted."""

    events: list[Event] = field(default_factory=list)
    indexes: dict[str, int] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    lines: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: list[str] = field(default_factory=list)

    def take(self, line: bytes, where: str) -> None:
        """The next line."""
        self.lines += 1
        try:
            event = read_line(line, where)
        except Refused as refused:
            self.refused.append(f"{where}: {refused.rule}")
            return
        held = self.indexes.get(event.id)
        if held is None:
            self.indexes[event.id] = len(self.events)
            self.events.append(event)
            self.places.append(where)
        elif self.events[held].content() == event.content():
            self.duplicates += 1
        else:
            self.conflicts += 1

    def check_leaf(self, leaf: str, index: int, where: str) -> None:
        """The event leaf follows from its line, all but what the salt hides, and stands where the line came."""
        rule = "5.2 the event leaf follows from its line"
        event, _ = read_leaf(leaf, where)
        if event.id not in self.indexes:
            refuse(rule, where, "an imported line", event.id)
        expected = self.indexes[event.id]
        with at(f"{where} ({event.id}, line at {self.places[expected]})"):
            for name in self.events[expected].fields:
                demand_equal(rule, name, self.events[expected].fields[name], event.fields[name])
            demand_equal("5.1 the log is in the order of the lines", "index", expected, index)

    def check_epoch(self, windows: list[Window], found: set[str], where: str) -> None:
        """The epoch's events are exactly those that the rule of windows gives it."""
        rule = "6.4 EPOCH_BY_EVENT_TIME over all imported lines"
        epoch = len(windows)
        placed = {event.id: epoch_of(event.time, index, windows) for index, event in enumerate(self.events)}
        expected = {each for each, place in placed.items() if place is not None and place[0] == epoch}
        if expected != found:
            missing, extra = sorted(expected - found)[:3], sorted(found - expected)[:3]
            got = f"{len(found)} events, missing {missing}, not of it {extra}"
            refuse(rule, where, f"{len(expected)} events", got)
        if windows[-1].log_size > len(self.events):
            refuse("6.3 N is the size of the events log", where, f"at most {len(self.events)}", windows[-1].log_size)
