"""Chapters 19 to 22 of the specification: the trust file, tlog-policy, and proofs link by link."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from canonical import (
    TREE_SIZE_MAX,
    Refused,
    demand_equal,
    demand_version,
    read_canonical,
    read_claimant,
    read_decimal,
    read_hex,
    read_origin,
    read_scope_key,
    read_utf8,
    read_uuid,
    refuse,
    take,
    take_array,
)
from notes import (
    COSIGNER,
    LOG_KEY,
    Note,
    TlogProof,
    VerifierKey,
    check_node_line,
    read_key,
    read_note,
    read_tlog_proof,
    verify_line,
)
from rulebook import read_allocation
from statements import (
    Chain,
    Statement,
    approvers_words,
    check_approval,
    read_approver_set,
    read_log_origin,
    read_statement,
)

TRUST_MAX = 262_144
POLICY_MAX = 65_536
PROOF_FILE_MAX = 4_194_304
SETS_MAX = 256
OTHERS_MAX = 16


# tlog-policy (chapter 20)


@dataclass
class TlogPolicy:
    """Which logs and witnesses count, and which witnesses must have cosigned."""

    logs: list[VerifierKey]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, tuple[int, list[str]]]
    quorum: str

    def is_met(self, name: str, cosigned: set[str]) -> bool:
        """Whether the witnesses that have cosigned satisfy a name."""
        if name == "none":
            return True
        if name in self.witnesses:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self.is_met(member, cosigned) for member in members) >= least


def read_group(words: list[str], policy: TlogPolicy, where: str) -> tuple[int, list[str]]:
    """The threshold and members of a group."""
    members = words[3:]
    known = {*policy.witnesses, *policy.groups}
    taken = [member for _, others in policy.groups.values() for member in others]
    unknown = [member for member in members if member not in known or member in taken]
    if not members or len(set(members)) < len(members) or unknown:
        refuse("20.1 group", where, "members defined before, each once in all groups", members)
    named = {"any": 1, "all": len(members)}
    least = named.get(words[2])
    return (read_decimal(words[2], len(members), where, 1) if least is None else least), members


def read_policy(text: str, where: str) -> TlogPolicy:
    """A tlog-policy (20.1)."""
    rule = "20.1 tlog-policy"
    if len(text.encode("utf-8")) > POLICY_MAX:
        refuse(rule, where, f"at most {POLICY_MAX} bytes", len(text))
    policy = TlogPolicy([], {}, {}, "")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        refuse(rule, where, "no control characters but tabs and newlines", ascii(text))
    for line in text.split("\n"):
        words = [word for word in re.split("[ \t]", line) if word]
        if not words or words[0].startswith("#"):
            continue
        known = {*policy.witnesses, *policy.groups}
        if words[0] == "log" and len(words) in (2, 3):
            policy.logs.append(read_key(words[1], LOG_KEY, where))
        elif words[0] == "witness" and len(words) in (3, 4):
            policy.witnesses[fresh(words[1], known, where)] = read_key(words[2], COSIGNER, where)
        elif words[0] == "group" and len(words) >= 4:
            policy.groups[fresh(words[1], known, where)] = read_group(words, policy, where)
        elif words[0] == "quorum" and len(words) == 2 and not policy.quorum and words[1] in {*known, "none"}:
            policy.quorum = words[1]
        else:
            refuse(rule, where, "log, witness, group or one quorum of what is defined before", line)
    publics = [key.public for key in policy.witnesses.values()]
    if not policy.logs or not policy.quorum or len(set(publics)) < len(publics):
        refuse(rule, where, "a log, a quorum, and each witness's public key once", text)
    return policy


def fresh(name: str, known: set[str], where: str) -> str:
    """A name that is not defined yet."""
    if name in known or name == "none":
        refuse("20.1 names are defined once", where, "a new name, not none", name)
    return name


# Trust file (chapter 19)


@dataclass(frozen=True)
class Trust:
    """What a verifier believes before seeing any proof."""

    node: str
    origin: str
    scope_key: str
    chain: Chain
    policy: TlogPolicy
    log_keys: list[tuple[VerifierKey, int | None]]

    @property
    def publics(self) -> list[bytes]:
        """The node's public keys."""
        return [key.public for key, _ in self.log_keys]

    @property
    def others(self) -> set[bytes]:
        """The public keys that no approver may have."""
        return {*self.publics, *(key.public for key in self.policy.witnesses.values())}


def read_log_key(value: Any, origin: str, where: str) -> tuple[VerifierKey, int | None]:
    """One `[[log_key]]`."""
    take(value, "vkey", "until_size", where)
    key = read_key(value["vkey"], LOG_KEY, where)
    read_log_origin(key.name, origin, "statements", where)
    until = read_decimal(value["until_size"], TREE_SIZE_MAX, where) if "until_size" in value else None
    return key, until


def read_trust(data: bytes, where: str) -> Trust:
    """A trust file (19.1, 19.2)."""
    rule = "19.1 trust file"
    if len(data) > TRUST_MAX:
        refuse(rule, where, f"at most {TRUST_MAX} bytes", len(data))
    try:
        value = tomllib.loads(read_utf8(data, where))
    except tomllib.TOMLDecodeError as error:
        refuse(rule, where, "TOML 1.0", str(error))
    take(value, "format node origin scope approver_set earlier_approver_sets policy log_key", "", where)
    for name, each in value.items():
        if name not in ("earlier_approver_sets", "log_key") and not isinstance(each, str):
            refuse(rule, f"{where} {name}", "a string", each)
    demand_version(value["format"], "meed/trust/v1", where)
    node, origin = read_uuid(value["node"], where), read_origin(value["origin"], where)
    scope_key = read_scope_key(value["scope"], where)
    first = read_approver_set(value["approver_set"], f"{where} approver_set")
    owner = (first.node, first.origin, first.scope_key)
    demand_equal("19.2 whose approver set", where, (node, origin, scope_key), owner)
    earlier = take_array(value["earlier_approver_sets"], 0, 2**20, where)
    chain = Chain.begin(first, [read_hex(each, where) for each in earlier], where)
    policy = read_policy(value["policy"], f"{where} policy")
    log_keys = [read_log_key(each, origin, where) for each in take_array(value["log_key"], 1, 2**20, where)]
    for log in policy.logs:
        if log not in [key for key, _ in log_keys]:
            refuse("19.2 every log of the policy is a log key", where, [key.text for key, _ in log_keys], log.text)
    trust = Trust(node, origin, scope_key, chain, policy, log_keys)
    texts = [key.text for key, _ in log_keys]
    demand_equal("19.2 each log key stands once", where, len(set(texts)), len(texts))
    both = {key.public for key in policy.witnesses.values()} & set(trust.publics)
    demand_equal("14.4 one key, one use", f"{where}: keys of logs and of witnesses", set(), both)
    check_purpose(chain, trust.others, where)
    return trust


def check_purpose(chain: Chain, others: set[bytes], where: str) -> None:
    """No approver's public key is that of a log or witness (14.4)."""
    for key in chain.set.keys:
        if key.public in others:
            refuse("14.4 one key, one use", where, "an approver's key that is no log's or witness's", key.text)


# Proofs (chapters 21 and 22)


@dataclass
class Verified:
    """A proof all of whose links hold: who gets what, or who is not in the epoch."""

    kind: str
    claimant: str
    statement: Statement
    leaf: dict[str, str] | None


@contextmanager
def link(name: str, where: str) -> Iterator[str]:
    """Names the link in every refusal inside."""
    try:
        yield f"{where}, link {name}"
    except Refused as refused:
        if refused.rule.startswith("22.1 link "):
            raise
        raise Refused(f"22.1 link {name} ({refused.rule})", refused.where, refused.expected, refused.got) from refused


@dataclass
class Opened:
    """A proof file taken apart."""

    kind: str
    sets: list[str]
    log: str
    claimant: str
    shown: list[TlogProof]
    sides: list[str]


def open_proof(data: bytes, where: str) -> Opened:
    """Link `format`."""
    if len(data) > PROOF_FILE_MAX:
        refuse("21.1 size of a proof file", where, f"at most {PROOF_FILE_MAX} bytes", len(data))
    if not data.endswith(b"\n"):
        refuse("21.1 a proof file is one line and \\n", where, "a final \\n", ascii(data[-20:]))
    value = read_canonical(data[:-1], where)
    kind = value.get("format") if isinstance(value, dict) else None
    if kind == "meed/payout-proof/v1":
        take(value, "approver_sets format log payout", "", where)
        sides = ["payout"]
    else:
        take(value, "approver_sets claimant format log", "left right", where)
        demand_version(kind, "meed/absence-proof/v1", where)
        read_claimant(value["claimant"], where)
        sides = [side for side in ("left", "right") if side in value]
    strings = [value[name] for name in value if name != "approver_sets"]
    sets = take_array(value["approver_sets"], 0, SETS_MAX, where)
    for each in strings + sets:
        if not isinstance(each, str):
            refuse("21.1 fields are strings", where, "a string", each)
    shown = [read_tlog_proof(value[side], f"{where} {side}") for side in sides]
    if not shown or any(each.note.raw != shown[0].note.raw for each in shown):
        refuse("21.3 neighbours", where, "at least one, of one signed statement", sides)
    found = "payout" if sides == ["payout"] else "absence"
    return Opened(found, sets, value["log"], value.get("claimant", ""), shown, sides)


def check_log(log: TlogProof, trust: Trust, where: str) -> set[str]:
    """Links `log_checkpoint`, and the names of the witnesses with valid lines."""
    if log.extra is not None:
        refuse("22.1 log without extra", where, "no extra", f"{len(log.extra)} bytes")
    demand_equal("17.2 checkpoints of logs have no extension lines", where, [], log.checkpoint.extensions)
    current = [
        key
        for key, until in trust.log_keys
        if key.name == log.checkpoint.origin and (until is None or until >= log.checkpoint.size)
    ]
    cosigned: set[str] = set()
    publics: list[bytes] = []
    by_log = others = 0
    for line in log.note.signatures:
        named = [(name, key) for name, key in trust.policy.witnesses.items() if line.is_by(key)]
        known = [*(("", key) for key in current if line.is_by(key)), *named]
        if not known:
            others += 1
            continue
        name, key = known[0]
        if verify_line(key, log.note.text, line) is None or key.public in publics:
            rule = "22.1 every known line is valid, no public key twice"
            refuse(rule, where, f"one valid line of {key.text}", line.line())
        publics.append(key.public)
        by_log += key.kind == LOG_KEY
        cosigned |= {name} - {""}
    if by_log == 0 or others > OTHERS_MAX:
        wanted = f"a line by one of {[key.text for key in current]}, at most {OTHERS_MAX} lines by others"
        refuse("22.1 signatures of the log's checkpoint", where, wanted, f"{by_log} and {others}")
    return cosigned


def follow_sets(texts: list[str], log: TlogProof, trust: Trust, where: str) -> Chain:
    """Link `approver_sets`, all but the last set being the statement's."""
    chain = trust.chain
    for number, text in enumerate(texts):
        place = f"{where} {number}"
        proof = read_tlog_proof(text, place)
        if proof.extra is None or proof.index >= log.index:
            refuse("22.1 approver sets are logged before", place, f"extra, and an index below {log.index}", proof.index)
        demand_equal("22.1 the very checkpoint of log", place, log.note.raw, proof.note.raw)
        proof.check(proof.extra, place)
        chain = chain.follow(read_note(read_utf8(proof.extra, place), place), trust.publics, place)
        check_purpose(chain, trust.others, place)
    return chain


def check_leaf(extra: bytes | None, statement: Statement, where: str) -> dict[str, str]:
    """Link `leaf`: an allocation leaf of the statement."""
    if extra is None:
        refuse("21.2 extra is the leaf", where, "extra", "none")
    leaf = read_allocation(extra, where)
    wanted = (statement.scope, str(statement.epoch), str(statement.revision))
    demand_equal("22.1 the leaf is of the statement", where, wanted, (leaf["scope"], leaf["epoch"], leaf["revision"]))
    return leaf


def check_neighbours(opened: Opened, statement: Statement, where: str) -> None:
    """Link `leaf` for absence: one case of 21.3 holds."""
    rule = "21.3 neighbours"
    index = dict(zip(opened.sides, (each.index for each in opened.shown), strict=True))
    left, right = index.get("left"), index.get("right")
    if statement.size == 1:
        demand_equal(rule, where, ["left"], opened.sides)
        demand_equal(rule, where, (0, statement.leaf_0()), (left, opened.shown[0].extra))
        return
    if left is not None and right is not None:
        holds = left >= 1 and right == left + 1
    elif right is not None:
        holds = right == 1
    else:
        holds = left == statement.size - 1
    if not holds:
        refuse(rule, where, f"adjacent leaves of {statement.size - 1}", index)
    for side, each in zip(opened.sides, opened.shown, strict=True):
        claimant = check_leaf(each.extra, statement, where)["claimant"]
        if claimant == opened.claimant or (claimant < opened.claimant) != (side == "left"):
            refuse(rule, f"{where} {side}", f"a claimant {side} of {opened.claimant}", claimant)


def verify_proof(data: bytes, trust: Trust, where: str) -> Verified:
    """A proof file, link by link (22.1)."""
    with link("format", where) as place:
        opened = open_proof(data, place)
    shown: Note = opened.shown[0].note
    with link("scope", where) as place:
        statement = read_statement(shown.text, place)
        wanted = (trust.node, trust.origin, trust.scope_key)
        demand_equal("22.1 whose statement", place, wanted, (statement.node, statement.origin, statement.scope_key))
    with link("log_checkpoint", where) as place:
        log = read_tlog_proof(opened.log, place)
        cosigned = check_log(log, trust, place)
    with link("witnesses", where) as place:
        if not trust.policy.is_met(trust.policy.quorum, cosigned):
            refuse("20.1 quorum", place, trust.policy.quorum, sorted(cosigned))
    with link("approver_sets", where) as place:
        chain = follow_sets(opened.sets, log, trust, place)
        demand_equal("15.1 point 1", place, approvers_words(chain.set), statement.approvers)
    with link("node_signature", where) as place:
        check_node_line(shown, statement.origin_line, trust.publics, "15.1 point 2", place)
    with link("approvals", where) as place:
        check_approval(shown, chain.set, trust.publics, place)
    leaf = None
    with link("leaf", where) as place:
        if opened.kind == "payout":
            leaf = check_leaf(opened.shown[0].extra, statement, place)
        else:
            check_neighbours(opened, statement, place)
    with link("inclusion", where) as place:
        if opened.kind == "payout" and opened.shown[0].index == 0:
            refuse("22.1 leaf 0 is the statement's lines", place, "an index from 1", 0)
        for each in opened.shown:
            each.check(each.extra or b"", place)
    with link("log_inclusion", where) as place:
        log.check(shown.raw.encode("utf-8"), place)
    return Verified(opened.kind, leaf["claimant"] if leaf else opened.claimant, statement, leaf)
