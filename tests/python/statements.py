"""Chapters 12, 13, 15 and 16 of the specification: approver sets, statements, and who must have signed them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from canonical import (
    COUNT_MAX,
    NUMBER_MAX,
    SINGLE_AMOUNT_MAX,
    TREE_SIZE_MAX,
    demand_equal,
    read_base64_hash,
    read_decimal,
    read_hex,
    read_origin,
    read_scope_key,
    read_time,
    read_uuid,
    refuse,
    scope_id,
    sha256,
    write_base64,
    write_canonical,
    write_time,
)
from merkle import leaf_hash, root
from notes import (
    COSIGNER,
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    check_node_line,
    read_checkpoint,
    read_key,
    verify_line,
    write_checkpoint,
)

APPROVERS_MAX = 15
CLAIMANTS_MAX = 2**31


@dataclass(frozen=True)
class ApproverSet:
    """One version of a scope's approver set (chapter 12)."""

    origin: str
    node: str
    scope_key: str
    threshold: int
    keys: list[VerifierKey]
    version: int
    root: bytes

    @property
    def origin_line(self) -> str:
        """The first line of the text."""
        return f"{self.origin}/{self.scope_key}/approvers"

    def text(self) -> str:
        """The text of 12.3."""
        lines = [
            "meed approver set v1",
            f"Node: {self.node}",
            f"Scope: {scope_id(self.node, self.scope_key)} {self.scope_key}",
            f"Threshold: {self.threshold} of {len(self.keys)}",
            *(f"Approver: {key.text}" for key in self.keys),
        ]
        return write_checkpoint(Checkpoint(self.origin_line, self.version, self.root, lines))

    def leaf(self) -> bytes:
        """The leaf of 12.2."""
        return write_canonical(
            {
                "approvers": [key.text for key in self.keys],
                "node": self.node,
                "scope": scope_id(self.node, self.scope_key),
                "threshold": str(self.threshold),
                "v": "meed/approver-set/v1",
                "version": str(self.version),
            }
        ).encode()

    def member(self, line: Signature) -> VerifierKey | None:
        """The member that a signature line names."""
        return next((key for key in self.keys if line.is_by(key)), None)


def after_prefix(line: str, prefix: str, where: str) -> str:
    """What follows the line's one possible beginning."""
    if not line.startswith(prefix):
        refuse("12.3, 13.2 the lines of a text", where, f"a line beginning {prefix!r}", line)
    return line.removeprefix(prefix)


def words_after(line: str, prefix: str, count: int, where: str) -> list[str]:
    """The words that follow the line's beginning, parted by single spaces."""
    words = after_prefix(line, prefix, where).split(" ")
    if len(words) != count or "" in words:
        refuse("12.3, 13.2 the lines of a text", where, f"{count} words after {prefix!r}", line)
    return words


def read_scope_line(line: str, node: str, where: str) -> str:
    """The scope key of the `Scope:` line, whose id must be the one of node and key."""
    given, key = words_after(line, "Scope: ", 2, where)
    demand_equal("2.3 scope id", where, scope_id(node, read_scope_key(key, where)), given)
    return key


def read_approver_key(text: str, where: str) -> VerifierKey:
    """An approver's verifier key (12.1)."""
    key = read_key(text, COSIGNER, where)
    if not re.fullmatch(r"[\x21-\x2a\x2c-\x7e]{1,255}", key.name):
        refuse("12.1 names of approvers", where, "1 to 255 bytes, each 0x21 to 0x7E, without +", key.name)
    return key


def read_approver_set(text: str, where: str) -> ApproverSet:
    """The text of an approver set; its root is not checked here."""
    checkpoint = read_checkpoint(text, where)
    lines = checkpoint.extensions
    if not 5 <= len(lines) <= 4 + APPROVERS_MAX or lines[0] != "meed approver set v1":
        refuse("12.3 text of an approver set", where, "meed approver set v1 and its lines", lines)
    node = read_uuid(after_prefix(lines[1], "Node: ", where), where)
    scope_key = read_scope_line(lines[2], node, where)
    threshold, of, total = words_after(lines[3], "Threshold: ", 3, where)
    keys = [read_approver_key(after_prefix(line, "Approver: ", where), where) for line in lines[4:]]
    demand_equal("12.3 text of an approver set", where, f"of {len(keys)}", f"{of} {total}")
    for what in ("name", "public", "id"):
        if len({getattr(key, what) for key in keys}) != len(keys):
            refuse("12.1 distinct approvers", where, f"distinct: {what}", [key.text for key in keys])
    demand_equal("12.1 sorted by name", where, sorted(key.name for key in keys), [key.name for key in keys])
    suffix = f"/{scope_key}/approvers"
    if not checkpoint.origin.endswith(suffix):
        refuse("12.3 origin line", where, f"<node origin>{suffix}", checkpoint.origin)
    result = ApproverSet(
        origin=read_origin(checkpoint.origin.removesuffix(suffix), where),
        node=node,
        scope_key=scope_key,
        threshold=read_decimal(threshold, len(keys), where, 1),
        keys=keys,
        version=read_decimal(str(checkpoint.size), NUMBER_MAX, where, 1),
        root=checkpoint.root,
    )
    demand_equal("12.4 the text written again", where, result.text(), text)
    return result


@dataclass(frozen=True)
class Chain:
    """The approver set that was reached, and the leaf hashes of its version and those before."""

    set: ApproverSet
    hashes: list[bytes]

    @staticmethod
    def begin(first: ApproverSet, earlier: list[bytes], where: str) -> Chain:
        """The version to start from (19.2)."""
        hashes = [*earlier, leaf_hash(first.leaf())]
        demand_equal("19.2 version of the approver set", where, len(hashes), first.version)
        demand_equal("12.3 root of the approver sets", where, root(hashes).hex(), first.root.hex())
        return Chain(first, hashes)

    def follow(self, note: Note, publics: list[bytes], where: str) -> Chain:
        """The next version, which must follow this one (16.1)."""
        old, new = self.set, read_approver_set(note.text, where)
        wanted = (old.origin, old.node, old.scope_key, old.version + 1)
        demand_equal("16.1 point 1", where, wanted, (new.origin, new.node, new.scope_key, new.version))
        hashes = [*self.hashes, leaf_hash(new.leaf())]
        demand_equal("16.1 point 1, root", where, root(hashes).hex(), new.root.hex())
        others = check_node_line(note, new.origin_line, publics, "16.1 point 2", where)
        signers = read_signers(others, note.text, [old, new], "16.1 point 3", where)
        if any(time <= 0 for _, time in signers):
            refuse("16.1 point 3", where, "times after 1970", 0)
        by_old = [key for key, _ in signers if key in old.keys]
        if len(by_old) < old.threshold:
            refuse("16.1 point 4", where, f"{old.threshold} members of version {old.version}", len(by_old))
        for key in new.keys:
            if key not in old.keys and key not in [signer for signer, _ in signers]:
                refuse("16.1 point 5", where, f"a signature by the new {key.text}", "none")
        return Chain(new, hashes)


def read_signers(
    lines: list[Signature], text: str, sets: list[ApproverSet], rule: str, where: str
) -> list[tuple[VerifierKey, int]]:
    """Who signed and when in seconds; every line must be valid and by a member, no public key twice."""
    signers: list[tuple[VerifierKey, int]] = []
    for line in lines:
        key = next((each.member(line) for each in sets if each.member(line)), None)
        if key is None:
            refuse(rule, where, "only members of the approver set", line.line())
        time = verify_line(key, text, line)
        if time is None:
            refuse(rule, where, f"a valid signature of {key.text}", line.line())
        if key.public in [signer.public for signer, _ in signers]:
            refuse(rule, where, "each public key once", line.line())
        signers.append((key, time))
    return signers


@dataclass(frozen=True)
class Statement:
    """The statement (13.2), all lines but the size and root of the allocation tree, which are `size` and `root`."""

    origin: str
    node: str
    scope_key: str
    epoch: int
    revision: int
    start: int
    end: int
    sign_by: int
    unit: str
    decimals: int
    policy_hash: bytes
    events_log: str
    log_size: int
    log_root: bytes
    activity_size: int
    activity_root: bytes
    pool_size: int
    pool_total: int
    pool_root: bytes
    decisions_size: int
    decisions_root: bytes
    allocations: int
    set_hash: bytes
    distributed: int
    undistributed: int
    approvers: str
    previous: bytes | None
    supersedes: bytes | None
    size: int = 0
    root: bytes = b""

    @property
    def scope(self) -> str:
        """The scope id."""
        return scope_id(self.node, self.scope_key)

    @property
    def origin_line(self) -> str:
        """Line 1."""
        return f"{self.origin}/{self.scope_key}/epoch/{self.epoch}/{self.revision}"

    def lines(self) -> list[str]:
        """Lines 4 to 21."""
        return [
            "meed payout statement v1",
            f"Node: {self.node}",
            f"Scope: {self.scope} {self.scope_key}",
            f"Epoch: {self.epoch} revision {self.revision}",
            f"Period: {write_time(self.start)} {write_time(self.end)}",
            f"Sign By: {write_time(self.sign_by)}",
            f"Unit: {self.unit} {self.decimals}",
            f"Policy: weight-sum-v1 {self.policy_hash.hex()}",
            f"Events Log: {self.events_log} {self.log_size} {write_base64(self.log_root)}",
            f"Activity: {self.activity_size} {write_base64(self.activity_root)}",
            f"Pool: {self.pool_size} {self.pool_total} {write_base64(self.pool_root)}",
            f"Decisions: {self.decisions_size} {write_base64(self.decisions_root)}",
            f"Allocations: {self.allocations} {self.set_hash.hex()}",
            f"Distributed: {self.distributed}",
            f"Undistributed: {self.undistributed}",
            f"Approvers: {self.approvers}",
            f"Previous: {self.previous.hex() if self.previous else 'none'}",
            f"Supersedes: {self.supersedes.hex() if self.supersedes else 'none'}",
        ]

    def leaf_0(self) -> bytes:
        """Leaf 0 of the allocation tree (13.1)."""
        return "".join(f"{line}\n" for line in self.lines()).encode()

    def text(self) -> str:
        """The text that approvers sign."""
        return write_checkpoint(Checkpoint(self.origin_line, self.size, self.root, self.lines()))

    def hash(self) -> bytes:
        """The hash of the statement (13.3)."""
        return sha256(self.text().encode())


def approvers_words(each: ApproverSet) -> str:
    """The words of line 19."""
    digest = sha256(each.text().encode()).hex()
    return f"{each.threshold} of {len(each.keys)} version {each.version} {digest}"


def read_optional_hash(line: str, prefix: str, where: str) -> bytes | None:
    """A hash in hex, or `none`."""
    word = after_prefix(line, prefix, where)
    return None if word == "none" else read_hex(word, where)


def read_approvers_line(line: str, where: str) -> str:
    """Line 19, its numbers checked."""
    words = words_after(line, "Approvers: ", 6, where)
    demand_equal("13.2 line 19", where, ["of", "version"], [words[1], words[3]])
    total = read_decimal(words[2], APPROVERS_MAX, where, 1)
    read_decimal(words[0], total, where, 1)
    read_decimal(words[4], NUMBER_MAX, where, 1)
    read_hex(words[5], where)
    return " ".join(words)


def read_tree(line: str, prefix: str, largest: int, where: str) -> tuple[int, bytes]:
    """A size and a root."""
    size, tree_root = words_after(line, prefix, 2, where)
    return read_decimal(size, largest, where), read_base64_hash(tree_root, where)


def read_log_origin(word: str, origin: str, log: str, where: str) -> str:
    """The origin line of one of the node's logs (17.1)."""
    prefix = f"{origin}/{log}/"
    if not word.startswith(prefix):
        refuse("17.1 origin lines of logs", where, f"{prefix}<generation>", word)
    read_decimal(word.removeprefix(prefix), COUNT_MAX, where, 1)
    return word


def read_statement(text: str, where: str) -> Statement:
    """The strict reading of a statement's text (13.3)."""
    checkpoint = read_checkpoint(text, where)
    line = checkpoint.extensions
    if len(line) != 18 or line[0] != "meed payout statement v1":
        refuse("13.2 the lines of a statement", where, "meed payout statement v1 and its 18 lines", line[:1])
    node = read_uuid(after_prefix(line[1], "Node: ", where), where)
    scope_key = read_scope_line(line[2], node, where)
    epoch, revision_word, revision = words_after(line[3], "Epoch: ", 3, where)
    demand_equal("13.2 line 7", where, "revision", revision_word)
    suffix = f"/{scope_key}/epoch/{epoch}/{revision}"
    if not checkpoint.origin.endswith(suffix):
        refuse("13.2 line 1", where, f"<node origin>{suffix}", checkpoint.origin)
    origin = read_origin(checkpoint.origin.removesuffix(suffix), where)
    start, end = (read_time(word, where) for word in words_after(line[4], "Period: ", 2, where))
    if start >= end:
        refuse("13.3 the period", where, "a start before the end", line[4])
    unit, decimals = words_after(line[6], "Unit: ", 2, where)
    if not re.fullmatch(r"[A-Za-z0-9._:/-]{1,64}", unit):
        refuse("2 unit", where, "1 to 64 of A-Z a-z 0-9 . _ : / -", unit)
    algorithm, policy_hash = words_after(line[7], "Policy: ", 2, where)
    demand_equal("13.2 line 11", where, "weight-sum-v1", algorithm)
    events_log, log_size, log_root = words_after(line[8], "Events Log: ", 3, where)
    activity_size, activity_root = read_tree(line[9], "Activity: ", CLAIMANTS_MAX, where)
    pool_size, pool_total, pool_root = words_after(line[10], "Pool: ", 3, where)
    decisions_size, decisions_root = read_tree(line[11], "Decisions: ", TREE_SIZE_MAX, where)
    allocations, set_hash = words_after(line[12], "Allocations: ", 2, where)
    statement = Statement(
        origin=origin,
        node=node,
        scope_key=scope_key,
        epoch=read_decimal(epoch, NUMBER_MAX, where, 1),
        revision=read_decimal(revision, NUMBER_MAX, where),
        start=start,
        end=end,
        sign_by=read_time(after_prefix(line[5], "Sign By: ", where), where),
        unit=unit,
        decimals=read_decimal(decimals, 36, where),
        policy_hash=read_hex(policy_hash, where),
        events_log=read_log_origin(events_log, origin, "events", where),
        log_size=read_decimal(log_size, TREE_SIZE_MAX, where),
        log_root=read_base64_hash(log_root, where),
        activity_size=activity_size,
        activity_root=activity_root,
        pool_size=read_decimal(pool_size, 1024, where, 1),
        pool_total=read_decimal(pool_total, SINGLE_AMOUNT_MAX, where),
        pool_root=read_base64_hash(pool_root, where),
        decisions_size=decisions_size,
        decisions_root=decisions_root,
        allocations=read_decimal(allocations, CLAIMANTS_MAX, where),
        set_hash=read_hex(set_hash, where),
        distributed=read_decimal(after_prefix(line[13], "Distributed: ", where), SINGLE_AMOUNT_MAX, where),
        undistributed=read_decimal(after_prefix(line[14], "Undistributed: ", where), SINGLE_AMOUNT_MAX, where),
        approvers=read_approvers_line(line[15], where),
        previous=read_optional_hash(line[16], "Previous: ", where),
        supersedes=read_optional_hash(line[17], "Supersedes: ", where),
        size=checkpoint.size,
        root=checkpoint.root,
    )
    if start >= end:
        refuse("6.1 an epoch is [start, end)", where, "a start before the end", line[4])
    demand_equal("13.1 size of the allocation tree", where, statement.allocations + 1, checkpoint.size)
    demand_equal("13.3 the text written again", where, statement.text(), text)
    return statement


def check_approval(note: Note, approvers: ApproverSet, publics: list[bytes], where: str) -> Statement:
    """The signed statement is approved by the set (15.1)."""
    statement = read_statement(note.text, where)
    wanted = (approvers_words(approvers), approvers.node, approvers.scope_key, approvers.origin)
    got = (statement.approvers, statement.node, statement.scope_key, statement.origin)
    demand_equal("15.1 point 1", where, wanted, got)
    others = check_node_line(note, statement.origin_line, publics, "15.1 point 2", where)
    signers = read_signers(others, note.text, [approvers], "15.1 point 3", where)
    for key, time in signers:
        if not statement.start < time * 1000 <= statement.sign_by:
            period = f"{statement.start} < time <= {statement.sign_by}"
            refuse("15.1 point 4", where, period, f"{time}000 of {key.name}")
    if len(signers) < approvers.threshold:
        refuse("15.1 point 5", where, f"{approvers.threshold} approvers", len(signers))
    return statement
