"""A small node for the unit tests: it makes a folder as a node would publish it, with everything that can happen.

Two epochs and a correction of the first; three people and a co-author; a duplicate, a conflict, a refused line and a
late event; a binding, an exclusion and an override; a second approver set. Trees are built by recursion here, as
RFC 6962 defines them, so that the checks of `merkle` are held against other code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import ed25519
from canonical import read_time, scope_id, sha256, write_base64, write_canonical
from dossier import compute, read_dossier, write_line
from events import Imported, leaf_of, metadata_hash
from merkle import EMPTY_ROOT, leaf_hash, node_hash
from notes import COSIGNER, LOG_KEY, Checkpoint, VerifierKey, write_checkpoint
from statements import ApproverSet

NODE = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d"
ORIGIN = "ledger.example.org"
SCOPE = scope_id(NODE, "default")
USER = "user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10"
NODE_SEED = bytes([9]) * 32
POLICY = write_canonical(
    {
        "algorithm": "weight-sum-v1",
        "decimals": "0",
        "epoch_days": "7",
        "scope": SCOPE,
        "unit": "credits",
        "unlinked": "claim",
        "v": "meed/policy/v1",
        "weights": [{"type": "github:pr_merged", "units": "1000"}],
    }
)


def split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


def tree(hashes: list[bytes]) -> bytes:
    """The root, by the recursive definition."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    middle = split(len(hashes))
    return node_hash(tree(hashes[:middle]), tree(hashes[middle:]))


def path(index: int, hashes: list[bytes]) -> list[bytes]:
    """The inclusion path, by the recursive definition of RFC 6962."""
    if len(hashes) == 1:
        return []
    middle = split(len(hashes))
    if index < middle:
        return [*path(index, hashes[:middle]), tree(hashes[middle:])]
    return [*path(index - middle, hashes[middle:]), tree(hashes[:middle])]


def growth(old: int, hashes: list[bytes], known: bool = True) -> list[bytes]:
    """The consistency path, by the recursive definition of RFC 6962."""
    if old == len(hashes):
        return [] if known else [tree(hashes)]
    middle = split(len(hashes))
    if old <= middle:
        return [*growth(old, hashes[:middle], known), tree(hashes[middle:])]
    return [*growth(old - middle, hashes[middle:], False), tree(hashes[:middle])]


@dataclass(frozen=True)
class Signer:
    """A name with a seed."""

    name: str
    seed: bytes

    def key(self, kind: int) -> VerifierKey:
        """The verifier key."""
        return VerifierKey(self.name, kind, ed25519.public_key(self.seed))

    def cosign(self, text: str, time: str) -> str:
        """A line of type 0x04 at a time."""
        seconds = read_time(time, "") // 1000
        signature = ed25519.sign(self.seed, f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return self.line(COSIGNER, seconds.to_bytes(8, "big") + signature)

    def line(self, kind: int, data: bytes) -> str:
        """A signature line."""
        return f"— {self.name} {write_base64(self.key(kind).id + data)}\n"


def sign_as_node(text: str) -> str:
    """The node's line, under the text's origin line."""
    return Signer(text.split("\n")[0], NODE_SEED).line(LOG_KEY, ed25519.sign(NODE_SEED, text.encode()))


ALICE, BOB, CAROL, DAVE = (
    Signer(name, bytes([number]) * 32) for number, name in enumerate(("alice", "bob", "carol", "dave"), 1)
)
STRANGERS = ("identity:discord:1", "identity:github:1002999", "user:ffffffff-0000-4000-8000-000000000000")


def approver_set(version: int, signers: list[Signer], earlier: list[bytes]) -> ApproverSet:
    """Two of the signers must approve."""
    keys = [signer.key(COSIGNER) for signer in signers]
    bare = ApproverSet(ORIGIN, NODE, "default", 2, keys, version, b"")
    root = tree([*earlier, leaf_hash(bare.leaf())])
    return ApproverSet(ORIGIN, NODE, "default", 2, keys, version, root)


def event_line(number: int, day: str, authors: list[str], **other: Any) -> dict[str, Any]:
    """A line as a source sends it."""
    return {
        "id": f"github:pr:1:{number}",
        "source": "github",
        "source_ref": "1",
        "event_type": "pr_merged",
        "authors": [{"provider": "github", "id": author} for author in authors],
        "event_time": f"2026-11-{day}T12:00:00+01:00",
        "payload_hash": sha256(str(number).encode()).hex(),
        "producer": "meed-github",
        "producer_version": "1",
        "retrieved_at": "2026-11-20T00:00:00Z",
        "metadata": {"title": "Fix the door", "count": 5},
        **other,
    }


LINES: list[dict[str, Any]] = [
    event_line(1, "03", ["1002", "1001"]),
    event_line(2, "04", ["1003"]),
    event_line(1, "03", ["1001", "1002"], producer="another"),
    event_line(1, "03", ["1003"]),
    event_line(9, "05", ["01"]),
    event_line(3, "10", ["1001"]),
    event_line(4, "05", ["1002"]),
    event_line(5, "11", ["1003", "1001", "1002"]),
    event_line(6, "18", ["1003"]),
]
"""In the order of import. The first epoch closes after the first five, two of which are events."""

WINDOWS = [
    ("2026-11-02T00:00:00.000Z", "2026-11-09T00:00:00.000Z", 2),
    ("2026-11-09T00:00:00.000Z", "2026-11-16T00:00:00.000Z", 5),
]


def decision(action: str, subject: str, **other: str) -> str:
    """A decision leaf."""
    common = {"actor": "olivia", "at": "2026-11-17T09:00:00.000Z", "reason": "as agreed", "scope": SCOPE}
    return write_canonical({"action": action, "subject": subject, "v": "meed/decision/v1", **common, **other})


DECISIONS = [
    decision("pool", "base_issuance", after="10000", epoch="1"),
    decision("pool", "base_issuance", after="10000", epoch="2"),
    decision("bind", "identity:github:1001", after=USER),
    decision("exclude", "github:pr:1:3", before="included", after="excluded", epoch="2"),
    decision("override", "identity:github:1003", after="250", epoch="2"),
    decision("amend", "epoch", epoch="1"),
    decision("weight", "github:pr:1:2", after="10", epoch="1"),
]

POOL = write_canonical(
    {
        "algorithm_version": "v1",
        "amount": "10000",
        "component": "base_issuance",
        "inputs_hash": sha256(b"{}").hex(),
        "v": "meed/pool/v1",
    }
)


def dossier_text(header: dict[str, Any], rows: list[dict[str, Any]], note: str) -> str:
    """The text of a dossier."""
    whole = [{**header, "note": note}, *rows, {"kind": "end", "lines": str(len(rows) + 1)}]
    return "".join(write_line(row) + "\n" for row in whole)


@dataclass
class World:
    """The node; `files` are what it publishes, by path. It keeps quiet about the event at the index `without`."""

    without: int = -1
    files: dict[str, str] = field(default_factory=dict)
    sets: list[ApproverSet] = field(default_factory=list)
    set_notes: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    finals: list[tuple[Any, str]] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        lines = [json.dumps(line).encode() for line in LINES]
        imported = Imported()
        for line in lines:
            imported.take(line, "")
        self.events = imported.events
        self.leaves = [leaf_of(event, metadata_hash(bytes(32), event.metadata), [SCOPE]) for event in imported.events]
        self.hashes = [leaf_hash(leaf) for leaf in self.leaves]
        self.files["import/0.ndjson"] = "".join(line.decode() + "\n" for line in lines)
        self.add_set([ALICE, BOB, CAROL], [])
        self.finalize(1, 0, [0, 1], 1, [ALICE, CAROL])
        self.add_set([ALICE, BOB, DAVE], [ALICE, BOB, DAVE])
        self.finalize(2, 0, [2, 3, 4], 5, [BOB, DAVE])
        self.finalize(1, 1, [0, 1], 7, [ALICE, DAVE])
        self.publish()

    def add_set(self, signers: list[Signer], signing: list[Signer]) -> None:
        """The next version of the approver set."""
        earlier = [leaf_hash(each.leaf()) for each in self.sets]
        new = approver_set(len(self.sets) + 1, signers, earlier)
        lines = "".join(signer.cosign(new.text(), "2026-11-17T10:00:00.000Z") for signer in signing)
        self.sets.append(new)
        self.set_notes.append(f"{new.text()}\n{sign_as_node(new.text())}{lines}")
        self.log.append(self.set_notes[-1])

    def finalize(self, epoch: int, revision: int, events: list[int], decided: int, signing: list[Signer]) -> None:
        """Drafts, signs and logs a statement, with its dossier."""
        previous = self.finals[-1] if self.finals else None
        corrected = next((each for each in self.finals if each[0].epoch == epoch), None)
        size = WINDOWS[epoch - 1][2]
        header = {
            "events_log": f"{ORIGIN}/events/1",
            "events_root": tree(self.hashes[:size]).hex(),
            "kind": "header",
            "log_key": Signer(f"{ORIGIN}/events/1", NODE_SEED).key(LOG_KEY).text,
            "node": NODE,
            "origin": ORIGIN,
            "revision": str(revision),
            "scope_key": "default",
            "sign_by": "2026-12-01T09:00:00.000Z",
            "v": "meed/dossier/v1",
        }
        if previous:
            header["previous"] = sha256(previous[0].statement.text().encode()).hex()
        if corrected:
            header["supersedes"] = sha256(corrected[0].statement.text().encode()).hex()
        rows: list[dict[str, Any]] = [{"kind": "policy", "document": POLICY}]
        for number, (start, end, log_size) in enumerate(WINDOWS[:epoch], 1):
            rows.append({"kind": "window", "end": end, "epoch": str(number), "log_size": str(log_size), "start": start})
        rows += [{"kind": "approvers", "note": note} for note in self.set_notes]
        rows.append({"kind": "pool", "leaf": POOL})
        rows += [{"kind": "decision", "leaf": leaf} for leaf in DECISIONS[:decided]]
        for index in events:
            if index == self.without:
                continue
            rows.append({"kind": "event", "index": str(index), "leaf": self.leaves[index].decode(), "routed": False})
        for low, high in pairwise(window[2] for window in WINDOWS[:epoch]):
            rows.append(
                {
                    "kind": "growth",
                    "from_root": tree(self.hashes[:low]).hex(),
                    "from_size": str(low),
                    "path": [each.hex() for each in growth(low, self.hashes[:high])],
                    "to_root": tree(self.hashes[:high]).hex(),
                    "to_size": str(high),
                }
            )
        rows += [{"kind": "earlier", "text": each[0].statement.text()} for each in self.finals[:-1]]
        if previous:
            rows.append({"kind": "previous", "note": previous[1]})
            rows += [{"kind": "previous_allocation", "leaf": leaf.decode()} for leaf in previous[0].leaves[1:]]
        if corrected and previous and corrected[0] is not previous[0]:
            rows.append({"kind": "superseded", "note": corrected[1]})
            rows += [{"kind": "superseded_allocation", "leaf": leaf.decode()} for leaf in corrected[0].leaves[1:]]
        result = compute(read_dossier(dossier_text(header, rows, "").encode(), "world"), "world")
        text = result.statement.text()
        draft = f"{text}\n{sign_as_node(text)}"
        note = draft + "".join(signer.cosign(text, "2026-11-18T08:00:00.000Z") for signer in signing)
        self.files[f"dossiers/{epoch}-{revision}.ndjson"] = dossier_text(header, rows, draft)
        self.files[f"statements/{epoch}-{revision}.txt"] = note
        self.finals.append((result, note))
        self.log.append(note)

    def tlog_proof(self, hashes: list[bytes], index: int, extra: bytes | None, note: str) -> str:
        """An inclusion proof as text."""
        lines = ["c2sp.org/tlog-proof@v1"]
        lines += [] if extra is None else [f"extra {write_base64(extra)}"]
        lines += [f"index {index}", *map(write_base64, path(index, hashes))]
        return "".join(f"{line}\n" for line in lines) + "\n" + note

    def publish(self) -> None:
        """The trust file, and proofs from the whole log."""
        origin = f"{ORIGIN}/statements/1"
        log_key = Signer(origin, NODE_SEED).key(LOG_KEY).text
        self.files["trust.toml"] = "\n".join(
            [
                'format = "meed/trust/v1"',
                f'node = "{NODE}"',
                f'origin = "{ORIGIN}"',
                'scope = "default"',
                f'approver_set = """\n{self.sets[0].text()}"""',
                "earlier_approver_sets = []",
                f'policy = """\nlog {log_key}\nquorum none\n"""',
                "[[log_key]]",
                f'vkey = "{log_key}"',
                "",
            ]
        )
        hashes = [leaf_hash(entry.encode()) for entry in self.log]
        text = write_checkpoint(Checkpoint(origin, len(hashes), tree(hashes), []))
        checkpoint = f"{text}\n{sign_as_node(text)}"
        for result, note in self.finals:
            changed = result.chain.set.version > 1
            later = [self.tlog_proof(hashes, 2, self.log[2].encode(), checkpoint)] if changed else []
            log = self.tlog_proof(hashes, self.log.index(note), None, checkpoint)
            inner = [leaf_hash(leaf) for leaf in result.leaves]
            shown = [self.tlog_proof(inner, index, leaf, note) for index, leaf in enumerate(result.leaves)]
            common = {"approver_sets": later, "log": log}
            name = f"{result.epoch}-{result.revision}"
            for index in range(1, len(result.allocations) + 1):
                payout = {**common, "format": "meed/payout-proof/v1", "payout": shown[index]}
                self.files[f"proofs/{name}-{index}.payout.json"] = write_canonical(payout) + "\n"
            for stranger in STRANGERS:
                right = 1 + sum(leaf["claimant"] < stranger for leaf in result.allocations)
                sides = {"left": right - 1, "right": right}
                near = {side: shown[index] for side, index in sides.items() if 1 <= index < len(shown)}
                absence = {**common, "claimant": stranger, "format": "meed/absence-proof/v1", **near}
                place = stranger.replace(":", "-")
                self.files[f"proofs/{name}-{place}.absence.json"] = write_canonical(absence) + "\n"

    def write(self, folder: Path) -> None:
        """Writes what was published."""
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode())
