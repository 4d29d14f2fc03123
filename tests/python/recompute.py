"""Recomputes what a meed node published, from the specification alone.

    python3 recompute.py <folder>
    python3 recompute.py --each <folder of dossiers>

The folder holds `trust.toml`, `dossiers/*.ndjson`, `statements/*.txt` (signed final statements), `proofs/*.json`
(a payout proof of every claimant of each statement in force, and perhaps absence proofs) and perhaps `import/*.ndjson`
(the raw lines that were imported; files in the order of their names). It prints a table and ends with 0 if everything follows, or with 1 at the first difference, naming the
rule of the specification, where, what was expected, and what came. With `--each` it recomputes every dossier of a
folder by itself, and prints a line for each: its name and `accepted`, or its name, `refused` and the rule; dossiers
are the files whose names end in `.ndjson`, and where there is none it ends with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from canonical import Refused, demand_equal, read_utf8, refuse
from dossier import Recomputed, read_dossier, recompute
from events import Imported
from merkle import leaf_hash, root
from notes import Note, read_note
from proofs import Trust, read_trust, verify_proof
from statements import Statement, check_approval, read_statement


# How many claimants a message names whose proofs are missing.
NAMED_MAX = 20


class Incomplete(Refused):
    """Nothing differs, but not all is there that shows it: payout proofs are missing."""

    def __init__(self, statement: str, claimants: list[str]) -> None:
        more = len(claimants) - NAMED_MAX
        named = ", ".join(claimants[:NAMED_MAX]) + (f", and {more} more" if more > 0 else "")
        expected = "one for each claimant of a statement in force, in proofs/, as `meed proof --claimant KEY` gives it"
        super().__init__(
            "21 a payout proof of every claimant", statement, expected, f"proofs are missing for: {named}"
        )


@dataclass
class Final:
    """A final statement with what its dossier gave, and its proofs."""

    note: Note
    statement: Statement
    recomputed: Recomputed
    payouts: set[str] = field(default_factory=set)
    absences: int = 0


def files(folder: Path, ending: str) -> Iterator[tuple[str, bytes]]:
    """The files of a folder by name, with a name for messages."""
    for path in sorted(folder.glob(f"*{ending}")):
        yield f"{folder.name}/{path.name}", path.read_bytes()


# Dossiers


def read_dossiers(folder: Path, trust: Trust) -> dict[tuple[int, int], Recomputed]:
    """Every dossier, recomputed, by epoch and revision."""
    found: dict[tuple[int, int], Recomputed] = {}
    for where, data in files(folder / "dossiers", ".ndjson"):
        result = recompute(read_dossier(data, where), where)
        key = (result.epoch, result.revision)
        if key in found:
            refuse("13.2 one draft an origin line", where, "one dossier of it", result.name)
        wanted = (trust.node, trust.origin, trust.scope_key)
        owner = (result.statement.node, result.statement.origin, result.statement.scope_key)
        demand_equal("19.2 the trust file's scope", where, wanted, owner)
        if result.log_public not in trust.publics:
            known = [each.hex() for each in trust.publics]
            refuse("23.3 the log key is one seen before", where, known, result.log_public.hex())
        check_trusted_set(result, trust, where)
        found[key] = result
    if not found:
        refuse("23 a dossier", "dossiers", "at least one .ndjson", "none")
    return dict(sorted(found.items()))


def check_trusted_set(result: Recomputed, trust: Trust, where: str) -> None:
    """The dossier's approver sets and those of the trust file are one chain."""
    trusted, given = trust.chain.hashes, result.chain.hashes
    common = min(len(trusted), len(given))
    demand_equal("19.2 the trust file's approver set", where, trusted[:common], given[:common])


def check_together(dossiers: dict[tuple[int, int], Recomputed]) -> None:
    """Dossiers of one scope tell one story: windows, decisions, approver sets and the events log only grow."""
    held: Recomputed | None = None
    for result in sorted(dossiers.values(), key=lambda each: len(each.windows)):
        if held is not None:
            rule = "6.1 and 6.3, windows stay as they were closed"
            demand_equal(rule, result.name, held.windows, result.windows[: len(held.windows)])
        held = result
    for what, rule in (("decisions", "8.1 decisions only grow"), ("hashes", "12.2 versions of the set only grow")):
        longest: list[object] = []
        found = dossiers.values()
        lists = [(each.name, each.decisions if what == "decisions" else each.chain.hashes) for each in found]
        for name, each in sorted(lists, key=lambda pair: len(pair[1])):
            demand_equal(rule, name, longest, list(each[: len(longest)]))
            longest = list(each)


def check_log(dossiers: dict[tuple[int, int], Recomputed]) -> tuple[int, int]:
    """Leaves and roots of the events log agree between dossiers. How many pinned roots could be recomputed, of all."""
    leaves: dict[int, bytes] = {}
    indexes: dict[str, int] = {}
    pinned: dict[int, bytes] = {}
    for result in dossiers.values():
        for size, log_root in result.pinned.items():
            known_root = pinned.setdefault(size, log_root)
            demand_equal("6.3 one root for one size", f"{result.name} at size {size}", known_root.hex(), log_root.hex())
        for placed in result.events:
            if not result.routed:
                rule = "5.1 one leaf at one index"
                held = leaves.setdefault(placed.index, placed.leaf)
                demand_equal(rule, f"{result.name} index {placed.index}", held, placed.leaf)
            index = indexes.setdefault(placed.event.id, placed.index)
            demand_equal("5.4 one index of one event", f"{result.name} event {placed.event.id}", index, placed.index)
    known = 0
    while known in leaves:
        known += 1
    whole = [size for size in pinned if size <= known]
    hashes = [leaf_hash(leaves[index]) for index in range(known)]
    for size in whole:
        computed = root(hashes[:size])
        demand_equal("22.4 root of the events log", f"first {size} leaves", pinned[size].hex(), computed.hex())
    return len(whole), len(pinned)


# Statements


def read_statements(folder: Path, trust: Trust, dossiers: dict[tuple[int, int], Recomputed]) -> list[Final]:
    """Every signed final statement, approved and equal to the recomputed one, in the order of their chain."""
    found: dict[bytes | None, Final] = {}
    for where, data in files(folder / "statements", ".txt"):
        note = read_note(read_utf8(data, where), where)
        statement = read_statement(note.text, where)
        key = (statement.epoch, statement.revision)
        if key not in dossiers:
            refuse("23 a dossier of every statement", where, f"a dossier of {statement.origin_line}", sorted(dossiers))
        demand_equal("23.2 the statement", where, dossiers[key].statement.text(), note.text)
        check_approval(note, dossiers[key].chain.set, trust.publics, where)
        if statement.previous in found:
            named = statement.previous.hex() if statement.previous else "none"
            refuse("13.5 one chain by Previous", where, "each Previous once", named)
        found[statement.previous] = Final(note, statement, dossiers[key])
    chain: list[Final] = []
    last: bytes | None = None
    while last in found:
        chain.append(found.pop(last))
        last = chain[-1].statement.hash()
    apart = [each.statement.origin_line for each in found.values()]
    demand_equal("13.5 one chain by Previous", "statements", [], apart)
    check_order(chain)
    return chain


def check_order(chain: list[Final]) -> None:
    """Epochs are finalized in order; a correction names the last final statement of its epoch (13.5, 17.3)."""
    last: dict[int, Statement] = {}
    before: Final | None = None
    for final in chain:
        statement, where = final.statement, final.statement.origin_line
        corrected = last.get(statement.epoch)
        if corrected is None:
            demand_equal("13.5 epochs are finalized in order", where, len(last) + 1, statement.epoch)
        elif statement.revision <= corrected.revision:
            refuse("17.3 a higher revision", where, f"above {corrected.revision}", statement.revision)
        wanted = corrected.hash().hex() if corrected else None
        demand_equal("17.3 Supersedes", where, wanted, statement.supersedes and statement.supersedes.hex())
        previous = final.recomputed.previous
        demand_equal("23.2 point 7, previous", where, before and before.note.text, previous and previous.text)
        last[statement.epoch] = statement
        before = final


# Proofs


def check_proofs(folder: Path, trust: Trust, finals: list[Final]) -> None:
    """Every proof holds and says what was recomputed; every claimant of a statement in force has one."""
    by_hash = {final.statement.hash(): final for final in finals}
    for where, data in files(folder / "proofs", ".json"):
        verified = verify_proof(data, trust, where)
        final = by_hash.get(verified.statement.hash())
        if final is None:
            known = [each.statement.origin_line for each in finals]
            refuse("21 a proof of a final statement", where, known, verified.statement.origin_line)
        leaves = {leaf["claimant"]: leaf for leaf in final.recomputed.allocations}
        demand_equal("21 the proof says what was recomputed", where, leaves.get(verified.claimant), verified.leaf)
        if verified.leaf is None:
            final.absences += 1
        else:
            final.payouts.add(verified.claimant)
    in_force = {final.statement.epoch: final for final in finals}
    for final in in_force.values():
        missing = sorted({leaf["claimant"] for leaf in final.recomputed.allocations} - final.payouts)
        if missing:
            raise Incomplete(final.statement.origin_line, missing)


# Imported lines


def check_import(folder: Path, dossiers: dict[tuple[int, int], Recomputed]) -> Imported | None:
    """Every event leaf follows from its line, and every epoch has exactly its events."""
    if not (folder / "import").is_dir():
        return None
    imported = Imported()
    for where, data in files(folder / "import", ".ndjson"):
        rows = data.split(b"\n")
        for number, row in enumerate(rows if rows[-1] else rows[:-1], 1):
            imported.take(row, f"{where} line {number}")
    for result in dossiers.values():
        if result.routed:
            refuse("5.3 routes", result.name, "only events that name the scope, as lines are given", "a routed one")
        for placed in result.events:
            imported.check_leaf(placed.leaf.decode(), placed.index, f"epoch {result.name}")
        found = {placed.event.id for placed in result.events}
        imported.check_epoch(result.windows, found, f"epoch {result.name}")
    return imported


# The table


def table(dossiers: dict[tuple[int, int], Recomputed], finals: list[Final]) -> list[list[str]]:
    """A row for each dossier."""
    titles = "epoch events late claimants pool distributed set statement payouts absences"
    rows = [titles.split()]
    signed = {final.recomputed.name: final for final in finals}
    for result in dossiers.values():
        final = signed.get(result.name)
        statement = result.statement
        rows.append(
            [
                result.name,
                str(len(result.events)),
                str(sum(placed.late for placed in result.events)),
                str(len(result.allocations)),
                str(statement.pool_total),
                str(statement.distributed),
                str(result.chain.set.version),
                "equal, approved" if final else "equal, a draft",
                str(len(final.payouts)) if final else "-",
                str(final.absences) if final else "-",
            ]
        )
    return rows


def show(rows: list[list[str]]) -> None:
    """Prints columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def run(folder: Path) -> None:
    """Checks a folder and prints the table."""
    trust = read_trust((folder / "trust.toml").read_bytes(), "trust.toml")
    dossiers = read_dossiers(folder, trust)
    check_together(dossiers)
    whole, pinned = check_log(dossiers)
    finals = read_statements(folder, trust, dossiers)
    imported = check_import(folder, dossiers)
    check_proofs(folder, trust, finals)
    show(table(dossiers, finals))
    print(f"roots of the events log recomputed from all leaves: {whole} of {pinned}")
    if imported is not None:
        kept_out = f"{imported.duplicates} duplicates, {imported.conflicts} conflicts, {len(imported.refused)} refused"
        print(f"imported lines: {imported.lines}, of which {len(imported.events)} events, {kept_out}")
    print("everything follows")


def what_lacks(folder: Path) -> str | None:
    """Why a folder cannot be checked at all; none where it can."""
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not (folder / "trust.toml").is_file():
        return f"{folder} holds no trust.toml, which `meed trust --scope KEY --out FILE` writes"
    return None


def judge_each(folder: Path) -> int:
    """Recomputes every dossier of a folder by itself; how many there were."""
    paths = sorted(folder.glob("*.ndjson"))
    for path in paths:
        try:
            recompute(read_dossier(path.read_bytes(), path.name), path.name)
            print(path.name, "accepted")
        except Refused as refused:
            print(path.name, "refused", refused.rule)
    return len(paths)


def main(arguments: list[str]) -> int:
    """The command line."""
    if len(arguments) == 3 and arguments[1] == "--each" and Path(arguments[2]).is_dir():
        if judge_each(Path(arguments[2])) == 0:
            print(f"nothing was checked: {arguments[2]} holds no file whose name ends in .ndjson", file=sys.stderr)
            return 1
        return 0
    if len(arguments) != 2 or arguments[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    lacks = what_lacks(Path(arguments[1]))
    if lacks is not None:
        print(f"nothing was checked: {lacks}\n\n{__doc__}", file=sys.stderr)
        return 2
    try:
        run(Path(arguments[1]))
    except Refused as refused:
        word = "INCOMPLETE" if isinstance(refused, Incomplete) else "DIFFERENT"
        print(f"{word}\n{refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
