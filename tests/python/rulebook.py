"""Chapters 7 to 11 of the specification: policy, decisions, weight-sum-v1, pool and payouts."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from canonical import (
    NUMBER_MAX,
    SHARES_SUM,
    SINGLE_AMOUNT_MAX,
    at,
    demand_equal,
    demand_version,
    read_canonical,
    read_claimant,
    read_component,
    read_decimal,
    read_event_id,
    read_event_type,
    read_form,
    read_free,
    read_hex,
    read_identity,
    read_source,
    read_time,
    read_user,
    read_uuid,
    read_visible,
    refuse,
    sha256,
    take,
    take_array,
    write_canonical,
)
from events import Event
from merkle import leaf_hash, root

WEIGHTS_MAX = 256
COMPONENTS_MAX = 1024
SHARES_MAX = 100


@dataclass(frozen=True)
class Policy:
    """What the scope pays for (chapter 7)."""

    scope: str
    epoch_days: int
    unit: str
    decimals: int
    exclude_unlinked: bool
    weights: dict[str, int]
    document: bytes


def read_policy(document: str, where: str) -> Policy:
    """The policy's document (7.1)."""
    names = "algorithm decimals epoch_days scope unit unlinked v weights"
    value = take(read_canonical(document.encode("utf-8"), where), names, "", where)
    demand_version(value["v"], "meed/policy/v1", where)
    demand_equal("7.1 algorithm", where, "weight-sum-v1", value["algorithm"])
    read_form(value["unit"], r"[A-Za-z0-9._:/-]{1,64}", "2 unit", where)
    days = read_decimal(value["epoch_days"], 364, where, 7)
    demand_equal("6.2 length of a window", where, 0, days % 7)
    if value["unlinked"] not in ("claim", "exclude"):
        refuse("7.1 unlinked", where, "claim or exclude", value["unlinked"])
    weights: dict[str, int] = {}
    for each in take_array(value["weights"], 0, WEIGHTS_MAX, where):
        take(each, "type units", "", where)
        source, _, event_type = str(each["type"]).partition(":")
        read_source(source, where)
        read_event_type(event_type, where)
        if weights and each["type"] <= max(weights):
            refuse("7.1 weights ascend by type, each once", where, f"a type after {max(weights)}", each["type"])
        weights[each["type"]] = read_decimal(each["units"], SINGLE_AMOUNT_MAX, where)
    return Policy(
        scope=read_uuid(value["scope"], where),
        epoch_days=days,
        unit=value["unit"],
        decimals=read_decimal(value["decimals"], 36, where),
        exclude_unlinked=value["unlinked"] == "exclude",
        weights=weights,
        document=document.encode("utf-8"),
    )


# Decisions (chapter 8)


@dataclass
class Curation:
    """What decisions say about one event in one epoch."""

    included: bool = True
    weight: str | None = None
    shares: str | None = None
    reason: str = ""


@dataclass
class EpochState:
    """Curation of events, and overrides of claimants with their reasons and places, of one epoch."""

    curation: dict[str, Curation] = field(default_factory=dict)
    overrides: dict[str, tuple[str, str]] = field(default_factory=dict)
    made_at: dict[str, int] = field(default_factory=dict)


@dataclass
class State:
    """The state that replaying decisions gives (8.3)."""

    bound: dict[str, str] = field(default_factory=dict)
    last_bound: dict[str, str] = field(default_factory=dict)
    changed_at: dict[str, int] = field(default_factory=dict)
    epochs: dict[int, EpochState] = field(default_factory=dict)
    before_amend: dict[int, EpochState] = field(default_factory=dict)
    ended: bool = False
    made: list[Decision] = field(default_factory=list)

    def resolve(self, claimant: str) -> str:
        """Resolving (9.1)."""
        return self.bound.get(claimant, claimant)

    def epoch(self, number: int) -> EpochState:
        """The state of one epoch."""
        return self.epochs.setdefault(number, EpochState())


@dataclass(frozen=True)
class Decision:
    """One decision leaf (8.1)."""

    action: str
    epoch: int | None
    subject: str
    before: str | None
    after: str | None
    reason: str
    at: int


ACTIONS: dict[str, tuple[bool, str, str | None]] = {
    "bind": (False, "identity", "user"),
    "rebind": (False, "identity", "user"),
    "revoke": (False, "identity", None),
    "exclude": (True, "event", "excluded"),
    "include": (True, "event", "included"),
    "weight": (True, "event", "amount"),
    "shares": (True, "event", "shares"),
    "reset": (True, "event", None),
    "override": (True, "claimant", "amount"),
    "withdraw": (True, "claimant", None),
    "pool": (True, "component", "amount"),
    "early_close": (True, "epoch", None),
    "accept_gap": (True, "epoch", None),
    "amend": (True, "epoch", None),
    "abandon": (True, "epoch", None),
    "erase": (False, "event", None),
    "end_scope": (False, "scope", None),
}
"""Of each action (8.2): whether it has an epoch, what its subject is, and what its value is, if it has one."""


def read_shares(text: str, where: str) -> list[tuple[str, int]]:
    """Shares as a decision writes them (8.4)."""
    pairs = [part.partition("=") for part in text.split(" ")]
    shares = [(read_claimant(key, where), read_decimal(ppm, SHARES_SUM, where, 1)) for key, _, ppm in pairs]
    keys = [key for key, _ in shares]
    if len(keys) > SHARES_MAX or keys != sorted(set(keys)):
        refuse("8.4 shares", where, f"1 to {SHARES_MAX} distinct claimants, ascending", text)
    demand_equal("8.4 sum of shares", where, SHARES_SUM, sum(ppm for _, ppm in shares))
    return shares


def check_form(kind: str, text: str, where: str) -> None:
    """A subject or value in its one form."""
    if kind == "identity":
        read_identity(text, where)
    elif kind == "user":
        read_user(text, where)
    elif kind == "event":
        read_event_id(text, where)
    elif kind == "claimant":
        read_claimant(text, where)
    elif kind == "component":
        read_component(text, where)
    elif kind == "amount":
        read_decimal(text, SINGLE_AMOUNT_MAX, where)
    elif kind == "shares":
        read_shares(text, where)
    else:
        demand_equal("8.2 the literal of a subject or value", where, kind, text)


def read_decision(leaf: str, scope: str, where: str) -> Decision:
    """A decision leaf, its fields present and formed as the table of actions says."""
    names = "action actor at reason scope subject v"
    value = take(read_canonical(leaf.encode("utf-8"), where), names, "after before epoch", where)
    demand_version(value["v"], "meed/decision/v1", where)
    demand_equal("8.1 scope of a decision", where, scope, value["scope"])
    read_free(value["actor"], where)
    read_free(value["reason"], where)
    time = read_time(value["at"], where)
    if value["action"] not in ACTIONS:
        refuse("8.2 actions", where, sorted(ACTIONS), value["action"])
    has_epoch, subject, after = ACTIONS[value["action"]]
    rule = "8.3 point 2"
    demand_equal(rule, f"{where} epoch present", has_epoch, "epoch" in value)
    demand_equal(rule, f"{where} after present", after is not None, "after" in value)
    check_form(subject, value["subject"], where)
    if after is not None:
        check_form(after, value["after"], where)
    return Decision(
        action=value["action"],
        epoch=read_decimal(value["epoch"], NUMBER_MAX, where, 1) if has_epoch else None,
        subject=value["subject"],
        before=value.get("before"),
        after=value.get("after"),
        reason=value["reason"],
        at=time,
    )


def value_before(state: State, decision: Decision) -> str | None:
    """The value of the state just before, as the table of actions says (8.2)."""
    action, subject = decision.action, decision.subject
    if action in ("bind", "revoke"):
        return state.bound.get(subject)
    if action == "rebind":
        return state.bound.get(subject, state.last_bound.get(subject))
    if decision.epoch is None:
        return None
    epoch = state.epoch(decision.epoch)
    if action in ("override", "withdraw"):
        return epoch.overrides.get(subject, (None, ""))[0]
    curation = epoch.curation.get(subject, Curation())
    values = {
        "exclude": "included" if curation.included else "excluded",
        "include": "included" if curation.included else "excluded",
        "reset": "included" if curation.included else "excluded",
        "weight": curation.weight,
        "shares": curation.shares,
    }
    return values.get(action)


def apply(state: State, decision: Decision, where: str) -> None:
    """One step of the replay (8.3)."""
    action, subject, after = decision.action, decision.subject, decision.after
    if state.ended and action != "erase":
        refuse("8.3 point 1", where, "no decision but erase after the scope's end", action)
    demand_equal("8.3 point 3, before", where, value_before(state, decision), decision.before)
    last = state.last_bound.get(subject)
    if action == "bind" and last not in (None, after):
        refuse("8.3 point 4", where, f"an identity not bound to another user than {last}", after)
    if action == "rebind" and last is None:
        refuse("8.3 point 4", where, "an identity that was bound before", subject)
    if action == "revoke" and subject not in state.bound:
        refuse("8.3 point 4", where, "an identity that is bound", subject)
    decided = state.epoch(decision.epoch) if decision.epoch is not None else EpochState()
    if action == "reset" and subject not in decided.curation:
        refuse("8.3 point 4", where, "an event that was decided on", subject)
    if action == "withdraw" and subject not in decided.overrides:
        refuse("8.3 point 4", where, "a claimant with an override", subject)
    if action == "abandon" and decision.epoch not in state.before_amend:
        refuse("8.3 point 4", where, "an epoch whose amendment was begun", decision.epoch)
    if action != "override" and after is not None and after == decision.before:
        refuse("8.3 point 5", where, "a value other than before", after)
    if action in ("bind", "rebind", "revoke"):
        claimants = (subject, after, state.bound.get(subject))
        state.changed_at.update({who: len(state.made) for who in claimants if who is not None})
    state.made.append(decision)
    if action in ("bind", "rebind"):
        state.bound[subject] = state.last_bound[subject] = str(after)
    elif action == "revoke":
        del state.bound[subject]
    elif action == "reset":
        del decided.curation[subject]
    elif action == "withdraw":
        del decided.overrides[subject]
    elif action == "end_scope":
        state.ended = True
    elif decision.epoch is not None and action == "amend":
        state.before_amend[decision.epoch] = copy.deepcopy(decided)
    elif decision.epoch is not None and action == "abandon":
        state.epochs[decision.epoch] = state.before_amend.pop(decision.epoch)
    elif decision.epoch is not None and action in ("exclude", "include", "weight", "shares"):
        curate(state.epoch(decision.epoch).curation.setdefault(subject, Curation()), decision)
    elif decision.epoch is not None and action == "override":
        override(state, state.epoch(decision.epoch), decision)


def curate(curation: Curation, decision: Decision) -> None:
    """The effect of a decision about an event."""
    if decision.action == "weight":
        curation.weight = decision.after
    elif decision.action == "shares":
        curation.shares = decision.after
    else:
        curation.included = decision.action == "include"
    curation.reason = decision.reason


def override(state: State, epoch: EpochState, decision: Decision) -> None:
    """The effect of an override (8.3, point 6)."""
    if decision.subject.startswith("user:"):
        for claimant in list(epoch.overrides):
            if state.bound.get(claimant) == decision.subject:
                del epoch.overrides[claimant]
    epoch.overrides[decision.subject] = (str(decision.after), decision.reason)
    epoch.made_at[decision.subject] = len(state.made) - 1


def replay(leaves: list[str], scope: str, where: str) -> State:
    """The state after all of the decisions."""
    state = State()
    for number, leaf in enumerate(leaves):
        place = f"{where} {number}"
        apply(state, read_decision(leaf, scope, place), place)
    return state


# Activity (chapter 9)


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """`total` divided among parts with these weights (9.3)."""
    whole = sum(weights)
    if whole == 0 or total == 0:
        return [0] * len(weights)
    parts = [weight * total // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(weights[place] * total % whole), place))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts


@dataclass(frozen=True)
class Placed:
    """An event of an epoch: its leaf, its index in the log, and whether it is late."""

    event: Event
    leaf: bytes
    index: int
    late: bool


def activity_leaf(placed: Placed, policy: Policy, state: State, curation: Curation | None) -> dict[str, Any]:
    """One event's share of the activity (9.2, 9.4)."""
    mine = curation or Curation()
    weight = int(mine.weight) if mine.weight is not None else policy.weights.get(placed.event.type, 0)
    units = weight if mine.included else 0
    claimants: list[dict[str, str]] = []
    if mine.included:
        shares = read_shares(mine.shares, placed.event.id) if mine.shares else placed.event.shares()
        summed: dict[str, int] = {}
        for key, ppm in shares:
            summed[state.resolve(key)] = summed.get(state.resolve(key), 0) + ppm
        keys = sorted(summed)
        divided = zip(keys, largest_remainder(units, [summed[key] for key in keys]), strict=True)
        kept = [(key, each) for key, each in divided if key.startswith("user:") or not policy.exclude_unlinked]
        claimants = [{"key": key, "units": str(each)} for key, each in kept]
    leaf = {
        "claimants": claimants,
        "event": placed.event.id,
        "event_hash": leaf_hash(placed.leaf).hex(),
        "included": mine.included,
        "index": str(placed.index),
        "late": placed.late,
        "units": str(units),
        "v": "meed/activity/v1",
        "weight": str(weight),
    }
    return leaf if curation is None else {**leaf, "reason": curation.reason}


def activity(events: list[Placed], policy: Policy, state: State, epoch: int) -> list[dict[str, Any]]:
    """All activity leaves of an epoch, as values, ascending by event id."""
    curation = state.epoch(epoch).curation
    known = {placed.event.id for placed in events}
    for event in sorted(curation):
        if event not in known:
            refuse("9.6 curated events are of the epoch", f"epoch {epoch}", "one of its events", event)
    ordered = sorted(events, key=lambda placed: placed.event.id)
    return [activity_leaf(placed, policy, state, curation.get(placed.event.id)) for placed in ordered]


# Pool (chapter 10)


def read_pool(leaves: list[str], where: str) -> int:
    """The pool's total, its components checked."""
    if not 1 <= len(leaves) <= COMPONENTS_MAX:
        refuse("10.1 components", where, f"1 to {COMPONENTS_MAX}", len(leaves))
    components: list[str] = []
    total = 0
    for number, leaf in enumerate(leaves):
        with at(f"{where} {number}"):
            value = take(
                read_canonical(leaf.encode("utf-8"), ""),
                "algorithm_version amount component inputs_hash v",
                "evidence_ref",
                "",
            )
            demand_version(value["v"], "meed/pool/v1", "")
            read_visible(value["algorithm_version"], 128, "algorithm_version")
            read_hex(value["inputs_hash"], "inputs_hash")
            if "evidence_ref" in value:
                read_free(value["evidence_ref"], "evidence_ref")
            components.append(read_component(value["component"], "component"))
            total += read_decimal(value["amount"], SINGLE_AMOUNT_MAX, "amount", 1)
    if components != sorted(set(components)):
        refuse("10.1 components ascend, each once", where, sorted(set(components)), components)
    if "base_issuance" not in components:
        refuse("10.1 base_issuance", where, "base_issuance", components)
    if total > SINGLE_AMOUNT_MAX:
        refuse("10.1 total of the pool", where, f"at most {SINGLE_AMOUNT_MAX}", total)
    return total


def pool_amounts(leaves: list[str]) -> dict[str, str]:
    """The amounts of components that were checked."""
    values = [read_canonical(leaf.encode("utf-8"), "") for leaf in leaves]
    return {value["component"]: value["amount"] for value in values}


# What decisions and the other parts say of each other (8.6)


def check_pool_decided(state: State, epoch: int, pool: dict[str, str], where: str) -> None:
    """Every component was decided once, before the epoch was closed, and no other."""
    decided: dict[str, str] = {}
    pinned = False
    for decision in state.made:
        if decision.epoch != epoch:
            continue
        pinned = pinned or decision.action in ("accept_gap", "amend", "early_close")
        if decision.action != "pool":
            continue
        if pinned or decision.subject in decided:
            rule = "8.6 point 1, one decision on a component, from before the close"
            refuse(rule, where, sorted(decided), decision.subject)
        decided[decision.subject] = str(decision.after)
    demand_equal("8.6 point 1, the pool is what was decided", where, decided, pool)


def check_early_closes(state: State, ends: list[int], sign_by: int, where: str) -> None:
    """An epoch is closed early by one decision, from before its window's end."""
    for epoch, end in enumerate(ends, 1):
        times = [made.at for made in state.made if made.action == "early_close" and made.epoch == epoch]
        if len(times) > 1 or any(time >= end for time in times):
            refuse("8.6 point 2, an early close", f"{where}: epoch {epoch}", f"at most one, before {end}", times)
    if not times and sign_by <= ends[-1]:
        refuse("8.6 point 2, an early close", where, f"a decision, or approving after {ends[-1]}", sign_by)


def check_accepted_gaps(state: State, epochs: int, where: str) -> None:
    """A gap of an epoch is accepted once, when it is closed."""
    for epoch in range(1, epochs + 1):
        count = sum(made.action == "accept_gap" and made.epoch == epoch for made in state.made)
        if count > 1:
            refuse("8.6 point 4, an accepted gap", f"{where}: epoch {epoch}", "at most one", count)


def check_amendment(state: State, epoch: int, supersedes: bytes | None, where: str) -> None:
    """What corrects a statement was begun by a decision."""
    made = [made.action for made in state.made if made.epoch == epoch and made.action in ("amend", "abandon")]
    demand_equal("8.6 point 3, amend where something is superseded", where, supersedes is not None, "amend" in made)
    if made and made[-1] == "abandon":
        refuse("8.6 point 3, an amendment that was given up", where, "one that goes on", made)


# Allocations (chapter 11)


def allocations(
    leaves: list[dict[str, Any]], state: State, epoch: int, revision: int, scope: str, pool: int
) -> list[dict[str, str]]:
    """All allocation leaves of an epoch, as values, ascending by claimant."""
    proposed: dict[str, int] = {}
    counted: dict[str, int] = {}
    for leaf in leaves:
        for each in leaf["claimants"]:
            proposed[each["key"]] = proposed.get(each["key"], 0) + int(each["units"])
            counted[each["key"]] = counted.get(each["key"], 0) + 1
    overrides = state.epoch(epoch).overrides
    for claimant in sorted(overrides):
        demand_equal("11.1 an override's claimant moved", f"epoch {epoch}", state.resolve(claimant), claimant)
        made, changed = state.epoch(epoch).made_at[claimant], state.changed_at.get(claimant, -1)
        if changed > made:
            rule = "11.1 an override is younger than the last change of its claimant"
            refuse(rule, f"epoch {epoch}: {claimant}", f"one made after decision {changed}", made)
    claimants = sorted({*proposed, *overrides})
    final = [int(overrides[key][0]) if key in overrides else proposed[key] for key in claimants]
    result = []
    for claimant, units, credits in zip(claimants, final, largest_remainder(pool, final), strict=True):
        leaf = {
            "claimant": claimant,
            "credits": str(credits),
            "epoch": str(epoch),
            "events": str(counted.get(claimant, 0)),
            "final_units": str(units),
            "proposed_units": str(proposed.get(claimant, 0)),
            "revision": str(revision),
            "scope": scope,
            "v": "meed/allocation/v1",
        }
        if claimant in overrides:
            leaf["override_reason"] = overrides[claimant][1]
        result.append(leaf)
    return result


def set_hash(leaves: list[dict[str, str]]) -> bytes:
    """The allocation set hash (11.5)."""
    lines = sorted((leaf["claimant"].removeprefix("user:"), leaf["final_units"]) for leaf in leaves)
    return sha256("\n".join(f"{key}:{units}" for key, units in lines).encode())


def read_allocation(leaf: bytes, where: str) -> dict[str, str]:
    """An allocation leaf (11.4) as a reader of proofs finds it."""
    names = "claimant credits epoch events final_units proposed_units revision scope v"
    value = take(read_canonical(leaf, where), names, "override_reason", where)
    demand_version(value["v"], "meed/allocation/v1", where)
    read_claimant(value["claimant"], where)
    read_decimal(value["credits"], SINGLE_AMOUNT_MAX, where)
    read_decimal(value["epoch"], NUMBER_MAX, where, 1)
    read_decimal(value["events"], 2**31, where)
    read_decimal(value["final_units"], 2**128 - 1, where)
    read_decimal(value["proposed_units"], 2**128 - 1, where)
    read_decimal(value["revision"], NUMBER_MAX, where)
    read_uuid(value["scope"], where)
    if "override_reason" in value:
        read_free(value["override_reason"], where)
    return value


def leaf_bytes(values: list[dict[str, Any]]) -> list[bytes]:
    """Leaves as bytes."""
    return [write_canonical(value).encode() for value in values]


def tree_of_text(leaves: list[str]) -> bytes:
    """The root over leaves that came as text."""
    return root([leaf_hash(leaf.encode("utf-8")) for leaf in leaves])
