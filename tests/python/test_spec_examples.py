"""The examples of the specification, computed from their parts and held against its recorded vectors."""

from __future__ import annotations

import json
import unittest
from dataclasses import replace
from pathlib import Path

import ed25519
from canonical import Refused, read_canonical, read_decimal, scope_id, sha256, write_base64, write_canonical
from events import Window, epoch_of, leaf_of, metadata_hash, read_leaf, read_line
from merkle import check_inclusion, leaf_hash, root, root_of
from notes import COSIGNER, LOG_KEY, VerifierKey, read_note, read_tlog_proof
from rulebook import (
    Curation,
    Placed,
    activity_leaf,
    allocations,
    largest_remainder,
    leaf_bytes,
    read_allocation,
    read_policy,
    read_pool,
    replay,
    set_hash,
    tree_of_text,
)
from statements import Chain, approvers_words, check_approval, read_approver_set, read_statement

VECTORS = Path(__file__).resolve().parents[2] / "audit" / "tests" / "vectors"
EXAMPLE: dict[str, str] = json.loads((VECTORS / "spec_examples.json").read_text())
NODE = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d"
SCOPE = "a28a8b1e-1f9d-5cd5-9329-569e4819feda"
SEEDS = {"alice": 1, "bob": 2, "carol": 3}

LINE = {
    "id": "github:pr:1:42",
    "source": "github",
    "source_ref": 1,
    "event_type": "pr_merged",
    "authors": [{"provider": "github", "id": 1002}, {"provider": "github", "id": "1001"}],
    "event_time": "2026-11-10T13:00:00.0+01:00",
    "payload_hash": "46c05fca947aa03dc2b8baff6bc5ebc5f8ea28cc842ef30819145039c847f77a",
    "producer": "meed-github",
    "producer_version": 1,
    "retrieved_at": "2026-11-20T00:00:00Z",
    "metadata": {"title": "Fix the door", "url": "https://example.org/42"},
}


def numbered(prefix: str) -> list[str]:
    """The leaves of a kind, in order."""
    count = sum(name.startswith(prefix) and name.endswith(" leaf") for name in EXAMPLE)
    return [EXAMPLE[f"{prefix} {number} leaf"] for number in range(count)]


def node_public() -> bytes:
    """The node's public key of the examples."""
    return ed25519.public_key(bytes([9]) * 32)


class Examples(unittest.TestCase):
    """Chapters 2 to 15."""

    def test_ids_and_trees(self) -> None:
        self.assertEqual(scope_id(NODE, "default"), SCOPE)
        for size in range(4):
            self.assertEqual(root_of([b"a", b"b", b"c"][:size]).hex(), EXAMPLE[f"root of {size}"])

    def test_the_event_from_its_line(self) -> None:
        event = read_line(json.dumps(LINE).encode(), "line")
        bound = metadata_hash(bytes(32), event.metadata)
        self.assertEqual(event.metadata.decode(), EXAMPLE["metadata"])
        self.assertEqual(bound.hex(), EXAMPLE["metadata hash"])
        self.assertEqual(leaf_of(event, bound, [SCOPE]).decode(), EXAMPLE["event leaf"])
        self.assertEqual(event.content().hex(), EXAMPLE["content hash"])
        again, scopes = read_leaf(EXAMPLE["event leaf"], "leaf")
        self.assertEqual((again.fields, scopes), (event.fields, [SCOPE]))

    def test_every_leaf_hash(self) -> None:
        names = [name for name in EXAMPLE if f"{name} hash" in EXAMPLE and name.endswith("leaf")]
        self.assertEqual(len(names), 16)
        for name in names:
            self.assertEqual(leaf_hash(EXAMPLE[name].encode()).hex(), EXAMPLE[f"{name} hash"], name)

    def test_activity_of_the_event(self) -> None:
        state = replay(numbered("decision"), SCOPE, "decision")
        policy = read_policy(EXAMPLE["policy"], "policy")
        event, _ = read_leaf(EXAMPLE["event leaf"], "leaf")
        placed = Placed(event, EXAMPLE["event leaf"].encode(), 0, False)
        self.assertEqual(write_canonical(activity_leaf(placed, policy, state, None)), EXAMPLE["activity 0 leaf"])
        left_out = activity_leaf(placed, policy, state, state.epoch(2).curation["github:pr:1:44"])
        self.assertEqual(left_out["claimants"], [])
        self.assertEqual((left_out["units"], left_out["weight"], left_out["reason"]), ("0", "1000", "as agreed"))
        heavier = activity_leaf(placed, policy, state, Curation(weight="3", shares="identity:github:1001=1000000"))
        self.assertEqual(heavier["claimants"], [{"key": "user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10", "units": "3"}])

    def test_statement_from_its_parts(self) -> None:
        note = read_note(EXAMPLE["statement note"], "note")
        signed = read_statement(note.text, "statement")
        decisions, active = numbered("decision"), [read_canonical(each.encode(), "") for each in numbered("activity")]
        state, pool = replay(decisions, SCOPE, "decision"), read_pool([EXAMPLE["pool leaf"]], "pool")
        leaves = allocations(active, state, 2, 0, SCOPE, pool)
        self.assertEqual([each.decode() for each in leaf_bytes(leaves)], numbered("allocation"))
        in_log = sorted(active, key=lambda each: int(each["index"]))
        approvers = read_approver_set(EXAMPLE["approver set text"], "set")
        computed = replace(
            signed,
            policy_hash=sha256(EXAMPLE["policy"].encode()),
            log_size=len(in_log),
            log_root=root([bytes.fromhex(each["event_hash"]) for each in in_log]),
            activity_size=len(active),
            activity_root=root_of(leaf_bytes(active)),
            pool_total=pool,
            pool_root=tree_of_text([EXAMPLE["pool leaf"]]),
            decisions_size=len(decisions),
            decisions_root=tree_of_text(decisions),
            allocations=len(leaves),
            set_hash=set_hash(leaves),
            distributed=sum(int(each["credits"]) for each in leaves),
            undistributed=0,
            approvers=approvers_words(approvers),
        )
        whole = [computed.leaf_0(), *leaf_bytes(leaves)]
        computed = replace(computed, size=len(whole), root=root_of(whole))
        self.assertEqual(computed.text(), note.text)
        self.assertEqual(leaf_hash(whole[0]).hex(), EXAMPLE["leaf 0 hash"])
        self.assertEqual(computed.hash().hex(), EXAMPLE["statement text hash"])
        self.assertEqual(sha256(EXAMPLE["policy"].encode()).hex(), EXAMPLE["policy hash"])

    def test_approval(self) -> None:
        approvers = read_approver_set(EXAMPLE["approver set text"], "set")
        self.assertEqual(approvers.leaf().decode(), EXAMPLE["approver set leaf"])
        self.assertEqual(sha256(approvers.text().encode()).hex(), EXAMPLE["approver set text hash"])
        Chain.begin(approvers, [], "set")
        note = read_note(EXAMPLE["statement note"], "note")
        statement = check_approval(note, approvers, [node_public()], "note")
        self.assertEqual(VerifierKey(statement.origin_line, LOG_KEY, node_public()).text, EXAMPLE["log key"])

    def test_signing_again_gives_the_same_lines(self) -> None:
        note = read_note(EXAMPLE["statement note"], "note")
        node, *others = note.signatures
        self.assertEqual(ed25519.sign(bytes([9]) * 32, note.text.encode()), node.data)
        for line in others:
            seed = bytes([SEEDS[line.name]]) * 32
            self.assertEqual(VerifierKey(line.name, COSIGNER, ed25519.public_key(seed)).id, line.key_id)
            time = int.from_bytes(line.data[:8], "big")
            message = f"cosignature/v1\ntime {time}\n{note.text}".encode()
            self.assertEqual(ed25519.sign(seed, message), line.data[8:])

    def test_read_allocations(self) -> None:
        for leaf in numbered("allocation"):
            self.assertEqual(read_allocation(leaf.encode(), "leaf")["epoch"], "2")

    def test_every_example_is_on_the_page(self) -> None:
        page = (VECTORS.parents[1] / "SPEC.md").read_text()
        for name, text in EXAMPLE.items():
            self.assertIn(text.rstrip("\n"), page, name)


class Rules(unittest.TestCase):
    """Windows and division, by hand and against vectors of others."""

    def test_windows(self) -> None:
        windows = [Window(100, 200, 3), Window(200, 300, 5), Window(400, 500, 9)]
        cases = [
            (99, 0, None), (100, 0, (1, False)), (199, 2, (1, False)), (199, 3, (2, True)), (199, 5, (3, True)),
            (199, 9, None), (200, 0, (2, False)), (299, 5, (3, True)), (300, 0, (3, True)), (399, 8, (3, True)),
            (400, 8, (3, False)), (500, 0, None),
        ]  # fmt: skip
        for time, index, expected in cases:
            self.assertEqual(epoch_of(time, index, windows), expected, (time, index))

    def test_division_in_small(self) -> None:
        for total in range(12):
            for weights in [[0], [1], [1, 1], [1, 2, 3], [0, 5], [7, 7, 7], [3, 1, 1, 1]]:
                parts = largest_remainder(total, weights)
                self.assertEqual(sum(parts), total if sum(weights) else 0)
                for part, weight in zip(parts, weights, strict=True):
                    exact = weight * total / sum(weights) if sum(weights) else 0
                    self.assertLess(abs(part - exact), 1)
        self.assertEqual(largest_remainder(10, [1, 1, 1]), [4, 3, 3])
        self.assertEqual(largest_remainder(2**96 - 1, [1, 2**96 - 1]), [1, 2**96 - 2])

    def test_payouts_of_the_earlier_system(self) -> None:
        cases = json.loads((VECTORS / "earlier_system.json").read_text())["payouts"]
        same = [case for case in cases if "ours" not in case]
        self.assertGreater(len(same), 5)
        for case in same:
            summed: dict[str, int] = {}
            for key, units in case["units"]:
                summed[key] = summed.get(key, 0) + int(units)
            keys = sorted(summed)
            parts = largest_remainder(int(case["pool"]), [summed[key] for key in keys])
            got = [[key, str(summed[key]), str(part)] for key, part in zip(keys, parts, strict=True)]
            listed = [row for row in got if row[2] != "0" or row in case["credits"]]
            self.assertEqual(listed, case["credits"], case["name"])


class Logs(unittest.TestCase):
    """Trees and proofs that other programs made."""

    def test_roots(self) -> None:
        for case in json.loads((VECTORS / "tlog" / "rfc6962_roots.json").read_text())["roots"]:
            leaves = [f"leaf-{number}".encode() for number in range(case["size"])]
            self.assertEqual(root_of(leaves).hex(), case["root_hex"])

    def test_proofs(self) -> None:
        cases = json.loads((VECTORS / "tlog" / "tlog_proofs.json").read_text())
        self.assertGreater(len(cases), 5)
        for case in cases:
            proof = read_tlog_proof(case["tlog_proof"], "proof")
            self.assertEqual((proof.index, proof.checkpoint.size), (case["index"], case["size"]))
            proof.check(case["leaf"].encode(), "proof")
            root_hash = proof.checkpoint.root
            with self.assertRaises(Refused):
                check_inclusion(leaf_hash(b"other"), proof.index, proof.checkpoint.size, root_hash, proof.path, "")

    def test_base64_is_the_one_spelling(self) -> None:
        self.assertEqual(write_base64(b"\x00"), "AA==")
        self.assertEqual(read_decimal("0", 9, ""), 0)


if __name__ == "__main__":
    unittest.main()
