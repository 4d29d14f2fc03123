"""Input that is malformed or not canonical is refused, and strict Ed25519 and both kinds of paths are exact."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable
from typing import Any

import ed25519
import proofs
from canonical import (
    Refused,
    read_base64,
    read_canonical,
    read_claimant,
    read_decimal,
    read_edge,
    read_edge_time,
    read_event_id,
    read_hex,
    read_origin,
    read_time,
    read_visible,
    write_canonical,
    write_time,
)
from events import read_leaf, read_line
from merkle import check_consistency, check_inclusion, leaf_hash
from notes import LOG_KEY, read_checkpoint, read_key, read_note, read_tlog_proof
from rulebook import allocations, check_amendment, read_decision, read_policy, read_pool, replay
from test_spec_examples import EXAMPLE, LINE, SCOPE
from world import DECISIONS, POOL, decision, growth, path, tree

NOTE = EXAMPLE["statement note"]


def reads(read: Callable[..., Any], *values: Any) -> bool:
    """Whether a reader accepts."""
    try:
        read(*values, "")
    except Refused:
        return False
    return True


class Texts(unittest.TestCase):
    """Chapters 1 and 2."""

    def check(self, read: Callable[..., Any], good: list[Any], bad: list[Any]) -> None:
        """Accepts the good and refuses the bad."""
        for value in good:
            self.assertTrue(reads(read, *value) if isinstance(value, tuple) else reads(read, value), value)
        for value in bad:
            self.assertFalse(reads(read, *value) if isinstance(value, tuple) else reads(read, value), value)

    def test_canonical_json(self) -> None:
        good = [b"{}", b'{"a":"b","b":["",true,false]}', '{"\u20ac":"\\u001f\\n\\"\\\\/\x7f\u2028"}'.encode()]
        good += ['{"\U0001f600":"1","\ufb33":"2"}'.encode()]
        bad = [b"", b"{} ", b" {}", b'{"a": "b"}', b'{"b":"","a":""}', b'{"a":"","a":""}', b'{"a":1}', b'{"a":null}']
        bad += [b'"\\u0041"', b'"\\u001F"', b'"\\/"', b'"\\ud800"', b'"\xff"', b"\xef\xbb\xbf{}", b"{}{}", b"[NaN]"]
        bad += ['{"\ufb33":"2","\U0001f600":"1"}'.encode()]
        self.check(read_canonical, good, bad)

    def test_edge_json(self) -> None:
        good = [b' { "a" : 1 } ', b"9007199254740991", b"-9007199254740991", b"0", b"[" * 32 + b"]" * 32]
        bad = [b"9007199254740992", b"-0", b"1.0", b"1e3", b"null", b"Infinity", b'{"a":1,"\\u0061":2}']
        bad += [b"[" * 33 + b"]" * 33, b"[" * 99999, b'"\\udc00"', b"\xef\xbb\xbf{}", b"01", b"9" * 5000]
        self.check(read_edge, good, bad)
        self.assertEqual(write_canonical(read_edge(b'{"b":-5,"a":42}', "")), '{"a":"42","b":"-5"}')

    def test_decimals_and_hashes(self) -> None:
        self.check(
            read_decimal, [("0", 9), ("9", 9)], [("10", 9), ("00", 9), ("-1", 9), ("", 9), ("\u0661", 9), ("+1", 9)]
        )
        self.check(read_base64, ["", "AA=="], ["AA", "AB==", "AA==\n", "A A=", "AA==AA==", "_w=="])
        self.check(read_hex, ["0" * 64], ["0" * 63, "A" * 64, "0" * 64 + "\n"])

    def test_times(self) -> None:
        good = [
            "2026-11-10T12:00:00.000Z",
            "1970-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "2028-02-29T00:00:00.000Z",
        ]
        bad = [
            "2026-11-10T12:00:00Z",
            "2026-11-10T12:00:00.0000Z",
            "2026-11-10t12:00:00.000Z",
            "2026-02-29T00:00:00.000Z",
        ]
        bad += [
            "2026-11-10T24:00:00.000Z",
            "2026-11-10T23:59:60.000Z",
            "1969-12-31T23:59:59.999Z",
            "2026-11-10T12:00:00.000+00:00",
        ]
        self.check(read_time, good, bad)
        for value in (0, 1, 951782400000, 253402300799999):
            self.assertEqual(read_time(write_time(value), ""), value)
        good = [
            "2026-11-10T12:00:00Z",
            "2026-11-10T12:00:00.123000000Z",
            "1969-12-31T23:30:00-01:00",
            "2026-11-10T12:00:00+23:59",
        ]
        bad = ["2026-11-10T12:00:00", "2026-11-10T12:00:00.0001Z", "1970-01-01T00:30:00+01:00", "2026-11-10T12:00:00.Z"]
        bad += [
            "9999-12-31T23:30:00-01:00",
            "2026-11-10T12:00:00+24:00",
            "2026-11-10 12:00:00Z",
            "0000-01-01T00:00:00Z",
        ]
        self.check(read_edge_time, good, bad)
        self.assertEqual(read_edge_time("1970-01-01T01:00:00.5+01:00", ""), 500)

    def test_visible_text(self) -> None:
        good = [("a", 9), ("\u00e9", 9), ("a b", 9), ("\u05d0", 9), ("x" * 9, 9)]
        bad = [
            "",
            "e\u0301",
            "a\u200bb",
            "\u202e",
            "\u00ad",
            "\ufeff",
            "\x7f",
            "\x85",
            "\n",
            "\ufffe",
            "   ",
            "\u3000",
            "\U0001ffff",
            "x" * 10,
        ]
        self.check(read_visible, good, [(each, 9) for each in bad])

    def test_identifiers(self) -> None:
        user = "user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10"
        good = [user, "identity:github:1", "identity:wallet:0x" + "a" * 40, "identity:git:" + "0" * 64]
        bad = [
            user.upper(),
            "user:1",
            "identity:github:01",
            "identity:github:0",
            "identity:x:1",
            "github:1",
            "identity:github:1:2",
        ]
        bad += ["identity:wallet:0x" + "A" * 40, "identity:github:" + "1" * 21, "identity:discord:\u0661"]
        self.check(read_claimant, good, bad)
        bad = ["a//b", "a/../b", "a/", "-a", "A", "https://a", "", "a" * 129, "a/."]
        self.check(read_origin, ["ledger.example.org", "a/b~c:1"], bad)
        self.check(read_event_id, ["a", "!" * 512], ["", "a b", "\u00e9", "a" * 513])


class Lines(unittest.TestCase):
    """Chapters 4 and 5."""

    def accepts(self, **changes: Any) -> bool:
        """Whether the example's line is accepted after changes; `None` removes a field."""
        line = {name: value for name, value in {**LINE, **changes}.items() if value is not None}
        return reads(read_line, json.dumps(line).encode())

    def test_lines(self) -> None:
        author = {"provider": "github", "id": 5}
        self.assertTrue(self.accepts())
        self.assertTrue(self.accepts(authors=None, platform_user_id=5))
        self.assertTrue(self.accepts(authors=[{**author, "share": 1000000}]))
        self.assertTrue(self.accepts(event_time="2026-11-20T00:10:00Z"))
        bad: list[dict[str, Any]] = [
            {"authors": None}, {"platform_user_id": 5}, {"authors": []}, {"authors": [author, author]}, {"extra": "x"},
            {"authors": [{**author, "share": 999999}]}, {"authors": [author, {**author, "id": 6, "share": 1}]},
            {"authors": [{**author, "share": 0}, {**author, "id": 6, "share": 1000000}]}, {"authors": [{"id": 5}]},
            {"authors": None, "platform_user_id": 5, "source": "other"}, {"payload_hash": "A" * 64}, {"id": "a b"},
            {"event_time": "2026-11-20T00:10:00.001Z"}, {"metadata": []}, {"metadata": {"a": 1.5}}, {"producer": ""},
            {"platform_login": "x", "metadata": {"platform_login": "y"}}, {"metadata": {"a": "x" * 32768}},
            {"source": "GitHub"}, {"event_type": "pr-merged"}, {"source_ref": "x" * 513}, {"retrieved_at": "today"},
            {"authors": [{**author, "id": number} for number in range(1, 102)]},
        ]  # fmt: skip
        for changes in bad:
            self.assertFalse(self.accepts(**changes), changes)

    def test_shares_of_many(self) -> None:
        authors = [{"provider": "github", "id": number} for number in (3, 1, 2)]
        event = read_line(json.dumps({**LINE, "authors": authors}).encode(), "")
        self.assertEqual(event.shares()[0], ("identity:github:1", 333334))
        self.assertEqual([share for _, share in event.shares()], [333334, 333333, 333333])

    def test_leaves(self) -> None:
        good = EXAMPLE["event leaf"]
        self.assertTrue(reads(read_leaf, good))
        changes = [
            ('"share":"500000"', '"share":"500001"'),
            ("meed/event/v1", "meed/event/v2"),
            (":12.0", ":12.1"),
            ("1002", "1000"),
        ]
        changes += [
            ('"scopes":["', '"scopes":["b28a8b1e-1f9d-5cd5-9329-569e4819feda","'),
            ("T12:00:00.000Z", "T12:00:00Z"),
        ]
        for old, new in changes:
            self.assertEqual(reads(read_leaf, good.replace(old, new, 1)), old not in good, new)


class Decisions(unittest.TestCase):
    """Chapters 7, 8 and 10."""

    def test_replay(self) -> None:
        who, user, other = (
            "identity:github:7",
            "user:" + "0" * 8 + "-0000-4000-8000-" + "0" * 12,
            "user:" + "1" * 8 + "-0000-4000-8000-" + "0" * 12,
        )
        bind, end = decision("bind", who, after=user), decision("end_scope", "scope")
        revoke = decision("revoke", who, before=user)
        self.assertTrue(reads(replay, [*DECISIONS, end], SCOPE))
        self.assertTrue(reads(replay, [end, decision("erase", "e")], SCOPE))
        self.assertTrue(reads(replay, [bind, revoke, bind], SCOPE))
        self.assertTrue(reads(replay, [bind, revoke, decision("rebind", who, before=user, after=other)], SCOPE))
        bad = [
            [end, bind], [end, end], [bind, bind], [revoke], [bind, decision("bind", who, before=user, after=other)],
            [bind, revoke, decision("bind", who, after=other)], [bind, decision("rebind", who, after=other)],
            [decision("rebind", who, after=other)],
            [decision("include", "e", before="included", after="included", epoch="1")],
            [decision("exclude", "e", before="included", after="excluded")], [decision("bind", who, after=user, epoch="1")],
            [decision("weight", "e", after="01", epoch="1")], [decision("override", "e", after="1", epoch="1")],
            [decision("shares", "e", after=f"{who}=999999", epoch="1")], [decision("amend", "1", epoch="1")],
            [decision("shares", "e", after=f"{user}=500000 {who}=500000", epoch="1")], [decision("unbind", who)],
            [decision("weight", "e", after="1", epoch="0")], [decision("erase", "e", after="x")],
        ]  # fmt: skip
        for leaves in bad:
            self.assertFalse(reads(replay, leaves, SCOPE), leaves)
        self.assertFalse(reads(read_decision, bind, "another scope"))

    def test_an_override_moves_with_its_claimant(self) -> None:
        who, user = "identity:github:7", "user:" + "0" * 8 + "-0000-4000-8000-" + "0" * 12
        leaves = [
            decision("override", who, after="5", epoch="1"),
            decision("override", who, before="5", after="5", epoch="1"),
            decision("override", who, after="5", epoch="2"),
            decision("bind", who, after=user),
            decision("override", user, after="6", epoch="1"),
        ]
        state = replay(leaves, SCOPE, "")
        self.assertEqual(state.epoch(1).overrides, {user: ("6", "as agreed")})
        self.assertEqual(state.epoch(2).overrides, {who: ("5", "as agreed")})

    def test_an_override_is_younger_than_its_claimant(self) -> None:
        who, user, other = (
            "identity:github:7",
            "user:" + "0" * 8 + "-0000-4000-8000-" + "0" * 12,
            "user:" + "1" * 8 + "-0000-4000-8000-" + "0" * 12,
        )

        def allocate(leaves: list[str], where: str) -> None:
            allocations([], replay(leaves, SCOPE, where), 1, 0, SCOPE, 9)

        bind, revoke = decision("bind", who, after=user), decision("revoke", who, before=user)
        rebind = decision("rebind", who, before=user, after=other)
        stated = [decision("override", each, after="5", epoch="1") for each in (who, user, other)]
        again = [decision("override", each, before="5", after="5", epoch="1") for each in (who, user, other)]
        good = [
            [bind, stated[1]], [bind, stated[1], revoke, again[1]], [stated[2], bind], [bind, revoke, stated[0]],
            [bind, stated[1], stated[2], rebind, again[2], again[1]], [stated[0], bind, revoke, again[0]],
            [bind, revoke, stated[1], rebind],
        ]  # fmt: skip
        bad = [
            [stated[1], bind], [bind, stated[1], revoke], [bind, stated[1], rebind], [bind, stated[2], rebind],
            [stated[0], bind], [stated[0], bind, revoke], [bind, stated[1], stated[2], rebind, again[2]],
        ]  # fmt: skip
        for leaves in good:
            self.assertTrue(reads(allocate, leaves), leaves)
        for leaves in bad:
            self.assertFalse(reads(allocate, leaves), leaves)

    def test_what_was_decided_is_taken_back(self) -> None:
        who = "identity:github:7"
        exclude = decision("exclude", "e", before="included", after="excluded", epoch="1")
        reset = decision("reset", "e", before="excluded", epoch="1")
        override, withdraw = (
            decision("override", who, after="5", epoch="1"),
            decision("withdraw", who, before="5", epoch="1"),
        )
        state = replay([exclude, override, reset, withdraw, exclude], SCOPE, "")
        self.assertEqual(state.epoch(1).overrides, {})
        self.assertEqual(list(state.epoch(1).curation), ["e"])
        self.assertEqual(replay([exclude, reset], SCOPE, "").epoch(1).curation, {})
        bad = [[reset], [decision("reset", "e", before="included", epoch="1")], [withdraw], [override, withdraw, withdraw]]
        bad += [[decision("withdraw", who, epoch="1")], [exclude, reset, reset], [override, decision("withdraw", who, before="6", epoch="1")]]
        for leaves in bad:
            self.assertFalse(reads(replay, leaves, SCOPE), leaves)

    def test_an_amendment_is_given_up(self) -> None:
        who = "identity:github:7"
        amend, abandon = decision("amend", "epoch", epoch="1"), decision("abandon", "epoch", epoch="1")
        exclude = decision("exclude", "e", before="included", after="excluded", epoch="1")
        include = decision("include", "e", before="excluded", after="included", epoch="1")
        override = decision("override", who, after="5", epoch="1")
        other = decision("override", who, after="6", epoch="2")
        state = replay([exclude, amend, include, override, other, abandon], SCOPE, "")
        self.assertFalse(state.epoch(1).curation["e"].included)
        self.assertEqual(state.epoch(1).overrides, {})
        self.assertEqual(state.epoch(2).overrides, {who: ("6", "as agreed")})
        self.assertTrue(reads(replay, [amend, abandon, amend, exclude, abandon, exclude], SCOPE))
        bad = [[abandon], [amend, abandon, abandon], [amend, exclude, abandon, include], [amend, decision("abandon", "epoch", epoch="2")]]
        bad += [[amend, decision("abandon", "epoch")], [amend, decision("abandon", "1", epoch="1")], [amend, exclude, abandon, amend, include]]
        for leaves in bad:
            self.assertFalse(reads(replay, leaves, SCOPE), leaves)

        def amended(leaves: list[str], supersedes: bytes | None, where: str) -> None:
            check_amendment(replay(leaves, SCOPE, where), 1, supersedes, where)

        for leaves, supersedes, right in [
            ([], None, True), ([], b"x", False), ([amend], b"x", True), ([amend], None, False),
            ([amend, abandon], b"x", False), ([amend, abandon], None, False), ([amend, abandon, amend], b"x", True),
        ]:  # fmt: skip
            self.assertEqual(reads(amended, leaves, supersedes), right, leaves)

    def test_policy_and_pool(self) -> None:
        self.assertTrue(reads(read_policy, EXAMPLE["policy"]))
        for old, new in [
            ('"7"', '"8"'),
            ('"claim"', '"keep"'),
            ("github:review_submitted", "github:a"),
            ("-v1", "-v2"),
        ]:
            self.assertFalse(reads(read_policy, EXAMPLE["policy"].replace(old, new, 1)), new)
        other = POOL.replace("base_issuance", "bonus")
        self.assertTrue(reads(read_pool, [POOL, other]))
        largest = POOL.replace('"10000"', f'"{2**96 - 1}"')
        for leaves in [[], [other], [other, POOL], [POOL, POOL], [POOL.replace('"10000"', '"0"')], [largest, other]]:
            self.assertFalse(reads(read_pool, leaves), leaves)


class Signatures(unittest.TestCase):
    """Chapters 14, 17, 18 and 20."""

    def test_rfc_8032(self) -> None:
        seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        signature = bytes.fromhex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
        self.assertEqual(ed25519.public_key(seed), public)
        self.assertEqual(ed25519.sign(seed, b""), signature)
        self.assertTrue(ed25519.verify(public, b"", signature))
        self.assertFalse(ed25519.verify(public, b"x", signature))
        scalar = int.from_bytes(signature[32:], "little") + ed25519.ORDER
        self.assertFalse(ed25519.verify(public, b"", signature[:32] + scalar.to_bytes(32, "little")))

    def test_strict_points(self) -> None:
        identity = (1).to_bytes(32, "little")
        self.assertIsNotNone(ed25519.decode(identity))
        self.assertFalse(ed25519.is_public_key(identity))
        self.assertIsNone(ed25519.decode((1 | 1 << 255).to_bytes(32, "little")), "minus zero")
        self.assertIsNone(ed25519.decode((ed25519.P + 1).to_bytes(32, "little")), "y not reduced")
        self.assertIsNone(ed25519.decode((2).to_bytes(32, "little")), "not on the curve")
        for order in ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "00" * 32):
            self.assertIsNotNone(ed25519.decode(bytes.fromhex(order)))
            self.assertFalse(ed25519.is_public_key(bytes.fromhex(order)), order)
        # With a key and a commitment of small order every message would be signed by S = 0.
        self.assertFalse(ed25519.verify(identity, b"any", identity + bytes(32)))

    def test_notes(self) -> None:
        self.assertTrue(reads(read_note, NOTE))
        bad = [
            NOTE[:-1],
            NOTE.replace("— alice", "- alice"),
            NOTE.replace("— alice ", "— alice  "),
            NOTE.replace("\n\n", "\n"),
        ]
        bad += [
            NOTE.replace("— alice", "— al+ice"),
            NOTE + "\n",
            NOTE.replace("Node:", "Node:\t"),
            NOTE + "x" * 65535 + "\n",
        ]
        bad += [NOTE + "— alice Ob+i\n"]
        for note in bad:
            self.assertFalse(reads(read_note, note), note[-60:])
        key = EXAMPLE["log key"]
        self.assertTrue(reads(read_key, key, LOG_KEY))
        for text in [
            key.replace("436ef8fa", "436ef8fb"),
            key.replace("+436ef8fa", "+436EF8FA"),
            key + "=",
            "a" + key,
            "a+b",
        ]:
            self.assertFalse(reads(read_key, text, LOG_KEY), text)

    def test_checkpoints_and_proofs(self) -> None:
        text = "o\n1\nANIYKaVQMUU0irz3ElE+rPKidCEa2D6XAgK7W22AsoY=\n"
        self.assertTrue(reads(read_checkpoint, text + "ext\n"))
        for each in [
            text + "\n",
            text[:-1],
            text.replace("1", "01"),
            text.replace("1", "0", 1),
            "\n" + text,
            text.replace("=", ""),
        ]:
            self.assertFalse(reads(read_checkpoint, each), each)
        proof = f"c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\n{NOTE}"
        self.assertTrue(reads(read_tlog_proof, proof))
        for old, new in [
            ("@v1", "@v2"),
            ("index 0", "index 00"),
            ("extra AA==", "extra "),
            ("\n\n", "\n\n\n"),
            ("AA==", "AB=="),
        ]:
            self.assertFalse(reads(read_tlog_proof, proof.replace(old, new, 1)), new)

    def test_policies(self) -> None:
        names = ("alice", "bob", "carol")
        keys = dict(
            zip(names, (line.split(": ")[1] for line in EXAMPLE["approver set text"].splitlines()[-3:]), strict=True)
        )
        head = f"log {EXAMPLE['log key']} https://example.org\n# words\n" + "".join(
            f"witness {name} {keys[name]}\n" for name in names
        )
        policy = proofs.read_policy(f"{head}group two 2 bob carol\ngroup top any alice two\nquorum top\n", "")
        met = [(set(), False), ({"alice"}, True), ({"bob"}, False), ({"bob", "carol"}, True)]
        for cosigned, expected in met:
            self.assertEqual(policy.is_met("top", cosigned), expected, cosigned)
        for tail in [
            "",
            "quorum none\nquorum none\n",
            "group a 2 bob\nquorum a\n",
            "group a 1 b\nquorum a\n",
            "quorum a\n",
            f"witness d {keys['bob']}\nquorum none\n",
            "group none 1 bob\nquorum bob\n",
            "group a 1 bob bob\nquorum a\n",
            "group a 1 bob\ngroup b 1 bob\ngroup c all a b\nquorum c\n",
            "quorum none\r\n",
            "quorum\u00a0none\n",
            "log\nquorum none\n",
        ]:
            self.assertFalse(reads(proofs.read_policy, head + tail), tail)


class Trees(unittest.TestCase):
    """Chapter 3, all small trees."""

    def test_every_path(self) -> None:
        hashes = [leaf_hash(bytes([number])) for number in range(18)]
        for size in range(1, 18):
            root = tree(hashes[:size])
            for index in range(size):
                right = path(index, hashes[:size])
                check_inclusion(hashes[index], index, size, root, right, "")
                wrong = [right[1:], [*right, root], [bytes(32), *right[1:]]] if right else [[root]]
                for each in wrong:
                    self.assertFalse(reads(check_inclusion, hashes[index], index, size, root, each))
                self.assertFalse(reads(check_inclusion, hashes[index], index + size, size, root, right))
            for old in range(1, size):
                right = growth(old, hashes[:size])
                check_consistency(old, tree(hashes[:old]), size, root, right, "")
                for each in [right[1:], [*right, root], [bytes(32), *right[1:]]]:
                    self.assertFalse(reads(check_consistency, old, tree(hashes[:old]), size, root, each), (old, size))


if __name__ == "__main__":
    unittest.main()
