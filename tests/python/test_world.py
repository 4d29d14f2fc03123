"""A whole folder is accepted, and every way of tampering with it is refused by the right rule."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from canonical import Refused
from recompute import main, run
from world import World

WORLD = World()


def outcome(files: dict[str, str]) -> Refused | str:
    """What the program says of a folder: the refusal or what it prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        World.write(files_only(files), folder)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                run(folder)
        except Refused as refused:
            return refused
        return printed.getvalue()


def files_only(files: dict[str, str]) -> World:
    """A world that is only its files."""
    world = World.__new__(World)
    world.files = files
    return world


TAMPERED = [
    ("dossiers/2-0.ndjson", '"after\\":\\"250', '"after\\":\\"251', "23.2 point 5, the statement"),
    (
        "dossiers/2-0.ndjson",
        '"subject\\":\\"github:pr:1:3',
        '"subject\\":\\"github:pr:1:5',
        "23.2 point 5, the statement",
    ),
    ("dossiers/2-0.ndjson", '"before\\":\\"included', '"before\\":\\"excluded', "8.3 point 3, before"),
    ("dossiers/2-0.ndjson", "identity:github:1001", "identity:github:1003", "11.1 an override's claimant moved"),
    ("dossiers/2-0.ndjson", '"amount\\":\\"10000', '"amount\\":\\"10001', "8.6 point 1, the pool is what was decided"),
    ("dossiers/2-0.ndjson", '"after\\":\\"10000\\",\\"at', '"after\\":\\"10001\\",\\"at', "23.2 point 7, the draft goes on from previous: decisions"),
    ("dossiers/1-0.ndjson", '"after\\":\\"10000', '"after\\":\\"10001', "8.6 point 1, the pool is what was decided"),
    ("dossiers/1-1.ndjson", '"action\\":\\"amend', '"action\\":\\"early_close', "8.6 point 2, an early close"),
    ("dossiers/2-0.ndjson", '"end":"2026-11-16T00', '"end":"2026-11-17T00', "6.2 layout of a window"),
    ("dossiers/1-1.ndjson", '"revision":"1"', '"revision":"0"', "13.5 a correction takes the next revision"),
    ("dossiers/1-0.ndjson", '"revision":"0"', '"previous":"' + "0" * 64 + '","revision":"0"', "13.5 only the first statement has no Previous"),
    ("dossiers/2-0.ndjson", '"units\\":\\"1000', '"units\\":\\"1001', "23.2 point 5, the statement"),
    ("dossiers/2-0.ndjson", '"log_size":"5"', '"log_size":"4"', "6.4 EPOCH_BY_EVENT_TIME"),
    ("dossiers/2-0.ndjson", '"log_size":"2"', '"log_size":"9"', "6.3 N never falls"),
    ("dossiers/2-0.ndjson", '"log_size":"2"', '"log_size":"4"', "6.4 EPOCH_BY_EVENT_TIME"),
    (
        "dossiers/2-0.ndjson",
        '"event_time\\":\\"2026-11-05T11',
        '"event_time\\":\\"2026-11-01T11',
        "6.4 EPOCH_BY_EVENT_TIME",
    ),
    ("dossiers/2-0.ndjson", '"producer_version\\":\\"1', '"producer_version\\":\\"2', "23.2 point 5, the statement"),
    ("dossiers/2-0.ndjson", '"routed":false', '"routed":true', "23.2 point 3, the event is of this scope"),
    ("dossiers/2-0.ndjson", '"kind":"pool"', '"kind": "pool"', "23.1 the one spelling of a line"),
    (
        "dossiers/2-0.ndjson",
        '"credits\\":\\"5000',
        '"credits\\":\\"5001',
        "23.2 point 7, previous, root of its allocations",
    ),
    ("dossiers/2-0.ndjson", '"from_size":"2"', '"from_size":"1"', "23.2 point 7, growth is from N to N"),
    ("dossiers/2-0.ndjson", '"from_root":"', '"from_root":"00', "1.1 hash as hex"),
    ("dossiers/2-0.ndjson", "Distributed: 10000", "Distributed: 10001", "23.2 point 5, the statement"),
    ("dossiers/2-0.ndjson", '"lines":"', '"lines":"1', "23.1 lines before the end"),
    ("dossiers/2-0.ndjson", "Threshold: 2 of 3", "Threshold: 1 of 3", "12.3 root of the approver sets"),
    ("dossiers/2-0.ndjson", "— carol ", "— dave ", "15.1 point 3"),
    ("dossiers/1-1.ndjson", '"action\\":\\"weight', '"action\\":\\"weights', "8.2 actions"),
    ("dossiers/1-1.ndjson", '"supersedes":"', '"supersedes":"ff', "1.1 hash as hex"),
    ("statements/1-0.txt", "Distributed: 10000", "Distributed: 10001", "23.2 the statement"),
    ("statements/1-0.txt", "Epoch: 1 ", "Epoch: 01 ", "13.2 line 1"),
    ("statements/2-0.txt", "— dave ", "— alice ", "15.1 point 3"),
    ("proofs/2-0-1.payout.json", "index 1", "index 2", "22.1 link inclusion (3.3 inclusion path)"),
    ("proofs/2-0-1.payout.json", "index 3", "index 4", "22.1 link log_inclusion (3.3 inclusion path)"),
    ("proofs/2-0-1.payout.json", '"format":"', '"format": "', "22.1 link format (1.4 canonical JSON)"),
    ("proofs/2-0-1.payout.json", "index 2", "index 1", "22.1 link approver_sets (3.3 inclusion path)"),
    (
        "proofs/2-0-1.payout.json",
        "index 2",
        "index 3",
        "22.1 link approver_sets (22.1 approver sets are logged before)",
    ),
    (
        "proofs/2-0-1.payout.json",
        "ledger.example.org/statements/1\\n5",
        "ledger.example.org/statements/1\\n6",
        "22.1 link approver_sets (22.1 the very checkpoint of log)",
    ),
    (
        "import/0.ndjson",
        '"id": "1002"}, {"provider"',
        '"id": "1004"}, {"provider"',
        "5.2 the event leaf follows from its line",
    ),
    ("import/0.ndjson", "2026-11-20T00:00:00Z", "2026-11-20T00:00:01Z", "5.2 the event leaf follows from its line"),
    ("trust.toml", "quorum none", "quorum some", "20.1 tlog-policy"),
    ("trust.toml", 'scope = "default"', 'scope = "other"', "19.2 whose approver set"),
    ("trust.toml", "Threshold: 2 of 3", "Threshold: 3 of 3", "12.3 root of the approver sets"),
    ("trust.toml", "earlier_approver_sets = []", "earlier = []", "1.4 missing field"),
]
"""File, what to change, into what, and the rule that refuses it."""


class WholeFolder(unittest.TestCase):
    """The program on a folder."""

    def test_accepts(self) -> None:
        printed = outcome(WORLD.files)
        self.assertIsInstance(printed, str, printed)
        self.assertIn("everything follows", str(printed))
        self.assertIn("roots of the events log recomputed from all leaves: 2 of 2", str(printed))
        self.assertIn("imported lines: 9, of which 6 events, 1 duplicates, 1 conflicts, 1 refused", str(printed))
        rows = {row.split()[0]: row.split() for row in str(printed).splitlines()[1:4]}
        self.assertEqual(rows["1/0"], "1/0 2 0 3 10000 10000 1 equal, approved 3 3".split())
        self.assertEqual(rows["1/1"], "1/1 2 0 3 10000 10000 2 equal, approved 3 3".split())
        self.assertEqual(rows["2/0"], "2/0 3 1 3 10000 10000 2 equal, approved 3 3".split())

    def test_recomputes_by_hand(self) -> None:
        leaves = {leaf["claimant"]: leaf for leaf in WORLD.finals[1][0].allocations}
        # Event 4 gives 1002 its 1000; 5 is split in 333, 333 and 334; 3 is excluded; 1003 is overridden to 250.
        self.assertEqual(leaves["identity:github:1002"]["final_units"], "1333")
        self.assertEqual(leaves["identity:github:1003"]["final_units"], "250")
        self.assertEqual(leaves["user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10"]["final_units"], "334")
        self.assertEqual([leaf["credits"] for leaf in leaves.values()], ["6954", "1304", "1742"])

    def test_refuses_what_was_tampered_with(self) -> None:
        for name, old, new, rule in TAMPERED:
            with self.subTest(file=name, old=old):
                self.assertIn(old, WORLD.files[name])
                got = outcome({**WORLD.files, name: WORLD.files[name].replace(old, new, 1)})
                self.assertEqual(getattr(got, "rule", None), rule, str(got))

    def test_refuses_what_is_missing_or_too_much(self) -> None:
        without = [
            ("dossiers/2-0.ndjson", "23 a dossier of every statement"),
            ("statements/2-0.txt", "13.5 one chain by Previous"),
            ("proofs/2-0-2.payout.json", "21 a payout proof of every claimant"),
            ("proofs/1-1-2.payout.json", "21 a payout proof of every claimant"),
        ]
        for name, rule in without:
            with self.subTest(without=name):
                got = outcome({each: text for each, text in WORLD.files.items() if each != name})
                self.assertEqual(getattr(got, "rule", None), rule, str(got))
        rows = WORLD.files["dossiers/2-0.ndjson"].splitlines(keepends=True)
        gone = [row for row in rows if "github:pr:1:4" not in row]
        fewer = "".join(gone).replace(f'"lines":"{len(rows) - 1}"', f'"lines":"{len(gone) - 1}"')
        got = outcome({**WORLD.files, "dossiers/2-0.ndjson": fewer})
        self.assertEqual(getattr(got, "rule", None), "23.2 point 5, the statement", str(got))
        another = WORLD.files["import/0.ndjson"].splitlines()[0].replace("pr:1:1", "pr:1:7")
        self.assertIn("of which 7 events", str(outcome({**WORLD.files, "import/1.ndjson": another})))

    def test_an_event_left_out_of_everything_is_found_in_the_lines(self) -> None:
        quiet = World(without=4).files
        lines = quiet.pop("import/0.ndjson")
        self.assertIn("everything follows", str(outcome(quiet)))
        got = outcome({**quiet, "import/0.ndjson": lines})
        self.assertEqual(getattr(got, "rule", None), "6.4 EPOCH_BY_EVENT_TIME over all imported lines", str(got))
        self.assertIn("2 events, missing ['github:pr:1:5']", str(got))

    def test_every_signature_counts(self) -> None:
        for name in ("statements/1-0.txt", "statements/2-0.txt"):
            lines = WORLD.files[name].splitlines(keepends=True)
            for place in range(len(lines) - 3, len(lines)):
                with self.subTest(file=name, without=lines[place][:20]):
                    text = "".join(lines[:place] + lines[place + 1 :])
                    rule = "15.1 point 2" if place == len(lines) - 3 else "15.1 point 5"
                    got = outcome({**WORLD.files, name: text})
                    self.assertEqual(getattr(got, "rule", None), rule, str(got))

    def test_the_command_line(self) -> None:
        errors = io.StringIO()
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(errors):
            self.assertEqual(main(["recompute.py", name]), 2)
            self.assertIn(f"nothing was checked: {name} holds no trust.toml", errors.getvalue())
            self.assertEqual(main(["recompute.py", f"{name}/nowhere"]), 2)
            self.assertIn(f"nothing was checked: there is no folder {name}/nowhere", errors.getvalue())
            files_only({**WORLD.files, "trust.toml": "x"}).write(Path(name))
            self.assertEqual(main(["recompute.py", name]), 1)
        self.assertIn("DIFFERENT\nrule:     19.1 trust file", errors.getvalue())

    def test_missing_proofs_are_no_difference(self) -> None:
        errors = io.StringIO()
        kept = {each: text for each, text in WORLD.files.items() if each != "proofs/2-0-2.payout.json"}
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(errors):
            files_only(kept).write(Path(name))
            self.assertEqual(main(["recompute.py", name]), 1)
        said = errors.getvalue()
        self.assertIn("INCOMPLETE\nrule:     21 a payout proof of every claimant", said)
        self.assertIn("proofs are missing for: identity:github:", said)
        self.assertIn("one for each claimant of a statement in force", said)
        self.assertNotIn("DIFFERENT", said)


if __name__ == "__main__":
    unittest.main()
