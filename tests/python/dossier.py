"""Chapter 23 of the specification: read a dossier, and recompute its draft from it alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from canonical import (
    NUMBER_MAX,
    TREE_SIZE_MAX,
    demand_equal,
    demand_version,
    parse_json,
    read_boolean,
    read_decimal,
    read_hex,
    read_origin,
    read_scope_key,
    read_time,
    read_utf8,
    read_uuid,
    refuse,
    scope_id,
    sha256,
    take,
    take_array,
    write_canonical,
    write_string,
)
from events import Window, check_layout, check_windows, epoch_of, read_leaf
from merkle import check_consistency, leaf_hash, root, root_of
from notes import LOG_KEY, Note, check_node_line, read_key, read_note
from rulebook import (
    Placed,
    State,
    activity,
    allocations,
    check_accepted_gaps,
    check_amendment,
    check_early_closes,
    check_pool_decided,
    leaf_bytes,
    pool_amounts,
    read_policy,
    read_pool,
    replay,
    set_hash,
    tree_of_text,
)
from statements import (
    Chain,
    Statement,
    approvers_words,
    check_approval,
    read_approver_set,
    read_log_origin,
    read_statement,
)

LINE_MAX = 524_288

KINDS = {
    "header": ("events_log events_root log_key node note origin revision scope_key sign_by v", "previous supersedes"),
    "policy": ("document", ""),
    "window": ("end epoch log_size start", ""),
    "approvers": ("note", ""),
    "pool": ("leaf", ""),
    "decision": ("leaf", ""),
    "event": ("index leaf routed", ""),
    "growth": ("from_root from_size path to_root to_size", ""),
    "earlier": ("text", ""),
    "previous": ("note", ""),
    "previous_allocation": ("leaf", ""),
    "superseded": ("note", ""),
    "superseded_allocation": ("leaf", ""),
    "end": ("lines", ""),
}


@dataclass
class Dossier:
    """The lines of a dossier by kind, in their order; none of their values is checked yet."""

    header: dict[str, Any]
    lines: dict[str, list[dict[str, Any]]]

    def leaves(self, kind: str) -> list[str]:
        """The leaves of a kind."""
        return [line["leaf"] for line in self.lines[kind]]


@dataclass
class Recomputed:
    """What a dossier gives."""

    epoch: int
    revision: int
    windows: list[Window]
    events: list[Placed]
    routed: bool
    allocations: list[dict[str, str]]
    leaves: list[bytes]
    statement: Statement
    chain: Chain
    decisions: list[str]
    previous: Note | None
    log_public: bytes
    pinned: dict[int, bytes]

    @property
    def name(self) -> str:
        """How tables name it."""
        return f"{self.epoch}/{self.revision}"


def write_line(value: dict[str, Any]) -> str:
    """A line as 23.1 spells it: `kind` first."""
    rest = {name: each for name, each in value.items() if name != "kind"}
    inner = write_canonical(rest)[1:]
    return f'{{"kind":{write_string(value["kind"])}' + ("," if rest else "") + inner


def read_dossier_line(line: bytes, where: str) -> dict[str, Any]:
    """One line, in its one spelling and with the fields of its kind."""
    if len(line) + 1 > LINE_MAX:
        refuse("23.1 size of a line", where, f"at most {LINE_MAX} bytes", len(line) + 1)
    text = read_utf8(line, where)
    value = parse_json(text, False, where)
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        refuse("23.1 kinds", where, sorted(KINDS), text[:60])
    demand_equal("23.1 the one spelling of a line", where, write_line(value), text)
    required, optional = KINDS[value["kind"]]
    take(value, f"kind {required}", optional, where)
    for name, each in value.items():
        if name == "routed":
            read_boolean(each, where)
        elif name == "path":
            take_array(each, 0, 2**7, where)
        elif not isinstance(each, str):
            refuse("23.1 values are strings", f"{where} {name}", "a string", each)
    return value


def read_dossier(data: bytes, where: str) -> Dossier:
    """A whole dossier."""
    rows = data.split(b"\n")
    if rows.pop() != b"":
        refuse("23.1 NDJSON", where, "every line ended by \\n", "an unfinished last line")
    values = [read_dossier_line(row, f"{where} line {number}") for number, row in enumerate(rows, 1)]
    lines: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for value in values:
        lines[value["kind"]].append(value)
    if not values or values[0]["kind"] != "header" or values[-1]["kind"] != "end":
        ends = [value["kind"] for value in values[:1] + values[-1:]]
        refuse("23.1 first and last line", where, ["header", "end"], ends)
    for kind in ("header", "policy", "end"):
        demand_equal("23.1 how many", f"{where}: {kind}", 1, len(lines[kind]))
    for kind in ("previous", "superseded"):
        if len(lines[kind]) > 1:
            refuse("23.1 how many", f"{where}: {kind}", "at most 1", len(lines[kind]))
    for kind in ("window", "approvers"):
        if not lines[kind]:
            refuse("23.1 how many", f"{where}: {kind}", "at least 1", 0)
    read_decimal(lines["end"][0]["lines"], TREE_SIZE_MAX, where)
    demand_equal("23.1 lines before the end", where, str(len(values) - 1), lines["end"][0]["lines"])
    return Dossier(lines["header"][0], lines)


def optional_hash(header: dict[str, Any], name: str, where: str) -> bytes | None:
    """A hash of the header that may be absent."""
    return read_hex(header[name], f"{where} {name}") if name in header else None


def read_windows(dossier: Dossier, where: str) -> list[Window]:
    """The windows (23.2, point 1)."""
    windows = []
    for number, line in enumerate(dossier.lines["window"], 1):
        place = f"{where}: window {number}"
        demand_equal("23.2 point 1, windows are numbered from 1", place, str(number), line["epoch"])
        size = read_decimal(line["log_size"], TREE_SIZE_MAX, place)
        windows.append(Window(read_time(line["start"], place), read_time(line["end"], place), size))
    check_windows(windows, where)
    return windows


def read_events(dossier: Dossier, windows: list[Window], scope: str, where: str) -> list[Placed]:
    """The events (23.2, point 3)."""
    events: dict[str, Placed] = {}
    indexes: set[int] = set()
    for line in dossier.lines["event"]:
        event, scopes = read_leaf(line["leaf"], f"{where}: event leaf")
        place = f"{where}: event {event.id}"
        index = read_decimal(line["index"], TREE_SIZE_MAX - 1, place)
        if line["routed"] == (scope in scopes):
            refuse("23.2 point 3, the event is of this scope", place, f"{scope} named, or routed", line["routed"])
        if event.id in events or index in indexes:
            refuse("23.2 point 3, every event once", place, "an id and an index that are new", f"index {index}")
        found = epoch_of(event.time, index, windows)
        if found is None or found[0] != len(windows):
            refuse("6.4 EPOCH_BY_EVENT_TIME", place, f"epoch {len(windows)}", found and f"epoch {found[0]}")
        events[event.id] = Placed(event, line["leaf"].encode("utf-8"), index, found[1])
        indexes.add(index)
    return list(events.values())


def read_chain(dossier: Dossier, publics: list[bytes], where: str) -> list[Chain]:
    """The approver sets from version 1, each reached by those before (23.2, point 6)."""
    notes = [read_note(line["note"], f"{where}: approvers") for line in dossier.lines["approvers"]]
    place = f"{where}: approvers 1"
    chains = [Chain.begin(read_approver_set(notes[0].text, place), [], place)]
    others = check_node_line(
        notes[0], chains[0].set.origin_line, publics, "16.1 version 1 is signed by the node", place
    )
    demand_equal("16.1 version 1 is signed by the node", place, [], [line.line() for line in others])
    for number, note in enumerate(notes[1:], 2):
        chains.append(chains[-1].follow(note, publics, f"{where}: approvers {number}"))
    return chains


def check_growth(dossier: Dossier, windows: list[Window], log_root: bytes, where: str) -> dict[int, bytes]:
    """The events log grew from each epoch to the next (23.2, point 7). Gives the roots that were pinned, by size."""
    demand_equal("23.1 how many", f"{where}: growth", len(windows) - 1, len(dossier.lines["growth"]))
    pinned = {windows[-1].log_size: log_root}
    for number, line in enumerate(dossier.lines["growth"]):
        place = f"{where}: growth {number}"
        sizes = (str(windows[number].log_size), str(windows[number + 1].log_size))
        demand_equal("23.2 point 7, growth is from N to N", place, sizes, (line["from_size"], line["to_size"]))
        old_size, new_size = windows[number].log_size, windows[number + 1].log_size
        old_root, new_root = read_hex(line["from_root"], place), read_hex(line["to_root"], place)
        for size, each in ((old_size, old_root), (new_size, new_root)):
            rule = "6.3 one root for one size"
            demand_equal(rule, f"{place} at size {size}", pinned.setdefault(size, each).hex(), each.hex())
        path = [read_hex(each, place) for each in line["path"]]
        check_consistency(old_size, old_root, new_size, new_root, path, place)
    return pinned


def read_before(dossier: Dossier, kind: str, named: bytes | None, where: str) -> tuple[Note, Statement] | None:
    """A final statement that the draft names, with its allocations (23.2, point 7)."""
    rule = f"23.2 point 7, {kind}"
    if not dossier.lines[kind]:
        if named is not None or dossier.lines[f"{kind}_allocation"]:
            refuse(rule, where, f"a {kind} statement where the header names one or allocations are given", "none")
        return None
    note = read_note(dossier.lines[kind][0]["note"], f"{where}: {kind}")
    statement = read_statement(note.text, f"{where}: {kind}")
    demand_equal(rule, where, named.hex() if named else "none", statement.hash().hex())
    leaves = [statement.leaf_0(), *(leaf.encode("utf-8") for leaf in dossier.leaves(f"{kind}_allocation"))]
    demand_equal(f"{rule}, size of its allocations", where, statement.size, len(leaves))
    demand_equal(f"{rule}, root of its allocations", where, statement.root.hex(), root_of(leaves).hex())
    return note, statement


def check_approved(note: Note, statement: Statement, chains: list[Chain], public: bytes, where: str) -> None:
    """A statement before was approved by the set that it names (23.2, point 7)."""
    named = [chain.set for chain in chains if approvers_words(chain.set) == statement.approvers]
    if not named:
        refuse("15.1 point 1", where, [approvers_words(chain.set) for chain in chains], statement.approvers)
    check_approval(note, named[0], [public], where)


def check_goes_on(
    dossier: Dossier,
    previous: Statement,
    draft: Statement,
    windows: list[Window],
    pinned: dict[int, bytes],
    where: str,
) -> None:
    """The draft is computed from what the statement before was, and more (23.2, point 7)."""
    rule = "23.2 point 7, the draft goes on from previous"
    owner = (draft.origin, draft.node, draft.scope_key)
    demand_equal(f"{rule}: scope", where, (previous.origin, previous.node, previous.scope_key), owner)
    if previous.epoch <= len(windows):
        window = windows[previous.epoch - 1]
        demand_equal(f"{rule}: window", where, Window(previous.start, previous.end, previous.log_size), window)
        demand_equal(f"{rule}: log", where, previous.log_root.hex(), pinned[window.log_size].hex())
    first = dossier.leaves("decision")[: previous.decisions_size]
    demand_equal(f"{rule}: decisions", where, previous.decisions_size, len(first))
    demand_equal(f"{rule}: decisions", where, previous.decisions_root.hex(), tree_of_text(first).hex())
    if draft.supersedes is None and draft.epoch <= previous.epoch:
        refuse(f"{rule}: epoch", where, f"an epoch after {previous.epoch}, or a correction", draft.epoch)


def check_earlier(
    dossier: Dossier,
    previous: Statement | None,
    draft: Statement,
    windows: list[Window],
    pinned: dict[int, bytes],
    state: State,
    where: str,
) -> None:
    """All statements before lead back to the first, and tell of the same windows (23.2, point 7)."""
    rule = "23.2 point 7, earlier statements"
    chain = [read_statement(line["text"], f"{where}: earlier") for line in dossier.lines["earlier"]]
    chain += [previous] if previous else []
    before: Statement | None = None
    for each in chain:
        names = (each.previous.hex() if each.previous else "none", before.hash().hex() if before else "none")
        demand_equal(f"{rule}: one chain", where, names[1], names[0])
        owner = (draft.origin, draft.node, draft.scope_key)
        demand_equal(f"{rule}: scope", where, owner, (each.origin, each.node, each.scope_key))
        if each.epoch <= len(windows):
            window = windows[each.epoch - 1]
            demand_equal(f"{rule}: window", where, Window(each.start, each.end, each.log_size), window)
            demand_equal(f"{rule}: log", where, each.log_root.hex(), pinned[window.log_size].hex())
        before = each
    for each in chain:
        check_not_taken_back(each, state, f"{where}: {each.epoch}/{each.revision}")
    told = {each.epoch for each in chain}
    missing = [epoch for epoch in range(1, len(windows)) if epoch not in told]
    demand_equal(f"{rule}: every epoch before", where, [], missing)
    of_epoch = [each.hash().hex() for each in chain if each.epoch == draft.epoch]
    named = draft.supersedes.hex() if draft.supersedes else "none"
    demand_equal(f"{rule}: Supersedes is the last of the epoch", where, of_epoch[-1] if of_epoch else "none", named)


def check_not_taken_back(statement: Statement, state: State, where: str) -> None:
    """Whose statement is final is amended again before an amendment of it is given up (23.2, point 7)."""
    later = [made.action for made in state.made[statement.decisions_size :] if made.epoch == statement.epoch]
    later = [action for action in later if action in ("amend", "abandon")]
    if later and later[0] == "abandon":
        refuse("23.2 point 7, an amendment that is final", where, "no abandon before the next amend", later)


def check_corrects(previous: Statement, draft: Statement, state: State, where: str) -> None:
    """The draft corrects a statement of its epoch: a later revision of the same policy and pool, begun by a decision."""
    rule = "23.2 point 7, the draft corrects previous"
    demand_equal(f"{rule}: epoch", where, previous.epoch, draft.epoch)
    if draft.revision <= previous.revision:
        refuse(f"{rule}: revision", where, f"above {previous.revision}", draft.revision)
    pinned = (previous.policy_hash.hex(), previous.pool_root.hex())
    demand_equal(f"{rule}: policy and pool", where, pinned, (draft.policy_hash.hex(), draft.pool_root.hex()))
    later = [made.action for made in state.made[previous.decisions_size :] if made.epoch == draft.epoch]
    if "amend" not in later:
        refuse(f"{rule}: decision", where, "amend", later)


def check_chain(epoch: int, revision: int, header: dict[str, Any], where: str) -> None:
    """The first statement of a scope, and no other, has none before it; what corrects one is a later revision (13.5)."""
    first = epoch == 1 and "supersedes" not in header
    demand_equal("13.5 only the first statement has no Previous", where, not first, "previous" in header)
    if "supersedes" in header and revision == 0:
        refuse("13.5 a correction takes the next revision", where, "a revision above 0", revision)


def recompute(dossier: Dossier, where: str) -> Recomputed:
    """The draft from the dossier alone (23.2); the first difference is refused."""
    result = compute(dossier, where)
    check_draft(dossier.header["note"], result.statement, result.log_public, where)
    return result


def compute(dossier: Dossier, where: str) -> Recomputed:
    """What the dossier gives, not yet held against its draft."""
    header = dossier.header
    demand_version(header["v"], "meed/dossier/v1", where)
    node = read_uuid(header["node"], f"{where} node")
    origin = read_origin(header["origin"], f"{where} origin")
    scope_key = read_scope_key(header["scope_key"], f"{where} scope_key")
    scope = scope_id(node, scope_key)
    revision = read_decimal(header["revision"], NUMBER_MAX, f"{where} revision")
    events_log = read_log_origin(header["events_log"], origin, "events", f"{where} events_log")
    log_key = read_key(header["log_key"], LOG_KEY, f"{where} log_key")
    demand_equal("23.1 name of the log key", where, events_log, log_key.name)
    windows = read_windows(dossier, where)
    epoch = len(windows)
    state = replay(dossier.leaves("decision"), scope, f"{where}: decision")
    events = read_events(dossier, windows, scope, where)
    policy = read_policy(dossier.lines["policy"][0]["document"], f"{where}: policy")
    demand_equal("7.1 scope of the policy", where, scope, policy.scope)
    pool = read_pool(dossier.leaves("pool"), f"{where}: pool")
    check_layout(windows, policy.epoch_days, where)
    check_chain(epoch, revision, header, where)
    check_pool_decided(state, epoch, pool_amounts(dossier.leaves("pool")), f"{where}: pool")
    sign_by = read_time(header["sign_by"], f"{where} sign_by")
    check_early_closes(state, [window.end for window in windows], sign_by, where)
    check_accepted_gaps(state, len(windows), where)
    check_amendment(state, epoch, optional_hash(header, "supersedes", where), where)
    chains = read_chain(dossier, [log_key.public], where)
    chain = chains[-1]
    owner = (chain.set.origin, chain.set.node, chain.set.scope_key)
    demand_equal("23.2 point 6, the scope's approver set", where, (origin, node, scope_key), owner)
    active = activity(events, policy, state, epoch)
    values = allocations(active, state, epoch, revision, scope, pool)
    distributed = sum(int(value["credits"]) for value in values)
    bare = Statement(
        origin=origin,
        node=node,
        scope_key=scope_key,
        epoch=epoch,
        revision=revision,
        start=windows[-1].start,
        end=windows[-1].end,
        sign_by=sign_by,
        unit=policy.unit,
        decimals=policy.decimals,
        policy_hash=sha256(policy.document),
        events_log=events_log,
        log_size=windows[-1].log_size,
        log_root=read_hex(header["events_root"], f"{where} events_root"),
        activity_size=len(active),
        activity_root=root_of(leaf_bytes(active)),
        pool_size=len(dossier.lines["pool"]),
        pool_total=pool,
        pool_root=tree_of_text(dossier.leaves("pool")),
        decisions_size=len(dossier.lines["decision"]),
        decisions_root=tree_of_text(dossier.leaves("decision")),
        allocations=len(values),
        set_hash=set_hash(values),
        distributed=distributed,
        undistributed=pool - distributed,
        approvers=approvers_words(chain.set),
        previous=optional_hash(header, "previous", where),
        supersedes=optional_hash(header, "supersedes", where),
    )
    leaves = [bare.leaf_0(), *leaf_bytes(values)]
    statement = replace(bare, size=len(leaves), root=root([leaf_hash(leaf) for leaf in leaves]))
    previous = read_before(dossier, "previous", statement.previous, where)
    other = statement.supersedes if statement.supersedes != statement.previous else None
    superseded = read_before(dossier, "superseded", other, where)
    pinned = check_growth(dossier, windows, statement.log_root, where)
    for kind, before in (("previous", previous), ("superseded", superseded)):
        if before is not None:
            check_approved(before[0], before[1], chains, log_key.public, f"{where}: {kind}")
            check_goes_on(dossier, before[1], statement, windows, pinned, where)
    check_earlier(dossier, previous[1] if previous else None, statement, windows, pinned, state, where)
    corrected = superseded or previous
    if corrected is not None and statement.supersedes is not None:
        check_corrects(corrected[1], statement, state, where)
    return Recomputed(
        epoch=epoch,
        revision=revision,
        windows=windows,
        events=events,
        routed=any(line["routed"] for line in dossier.lines["event"]),
        allocations=values,
        leaves=leaves,
        statement=statement,
        chain=chain,
        decisions=dossier.leaves("decision"),
        previous=previous[0] if previous else None,
        log_public=log_key.public,
        pinned=pinned,
    )


def check_draft(raw: str, computed: Statement, public: bytes, where: str) -> None:
    """The draft's text equals the computed one, and carries the node's line (23.2, point 5)."""
    note = read_note(raw, f"{where}: draft")
    expected, got = computed.text().split("\n"), note.text.split("\n")
    demand_equal("23.2 point 5, the statement", f"{where}: draft, number of lines", len(expected), len(got))
    # The root (line 3) follows from all others, so it says least about what differs.
    for number in [*range(3, len(expected)), 0, 1, 2]:
        place = f"{where}: draft, line {number + 1}"
        demand_equal("23.2 point 5, the statement", place, expected[number], got[number])
    check_node_line(note, computed.origin_line, [public], "23.2 point 5, the node's line", where)
