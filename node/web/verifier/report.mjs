// What a verification found, in words and as JSON: the report of `meed verify`, by the second implementation.

import { encodeHex } from './bytes.mjs';

const CANNOT_SAY = [
    'superseded: unknown (a later revision may exist)',
    'whether the activity behind it is true: that is what the approvers judged',
    'whether the money was sent',
];
const ABSENCE = 'that the leaves ascend, on which absence rests: that is checked by the approvers and by auditors';
const NO_WITNESSES =
    'whether others see the same log: the trust file demands no witnesses, so a node could show them another';
const BOUND =
    "an account that is bound to somebody earns under that user's key: ask whoever made the proof whether it is, and " +
    'for the proof of user:<uuid> if so';

/** The report of a result of `verifyProof`. Numbers are decimal strings. */
export function makeReport(result, trust) {
    const report = {
        verified: result.verified,
        kind: result.kind ?? 'unknown',
        links: result.links.map(({ link, ok, says }) => ({ link, ok, says })),
        trust_fingerprint: trust.fingerprint,
    };
    if (!result.verified) {
        return { ...report, cannot_say: [] };
    }
    const found =
        result.kind === 'payout' ? { payout: writeAllocation(result.allocation) } : { absent: result.claimant };
    return { ...report, ...found, statement: describeStatement(result), cannot_say: cannotSay(result, trust) };
}

function writeAllocation(allocation) {
    return Object.fromEntries(Array.from(allocation, ([name, value]) => [name, String(value)]));
}

function describeStatement({ statement, approvedBy, log }) {
    return {
        origin: statement.originLine,
        epoch: String(statement.epoch),
        revision: String(statement.revision),
        period_start: statement.periodStart,
        period_end: statement.periodEnd,
        unit: `${statement.unit.symbol} ${statement.unit.decimals}`,
        text_hash: encodeHex(statement.textHash),
        approved_by: approvedBy,
        log: log.origin,
        log_index: String(log.proof.index),
        log_size: String(log.size),
    };
}

function cannotSay(result, trust) {
    const absence = result.kind === 'absence' ? [ABSENCE] : [];
    const witnesses = trust.policy.wantsWitnesses ? [] : [NO_WITNESSES];
    return [...CANNOT_SAY, ...absence, ...witnesses];
}

/** A whole number of the smallest unit with its decimals: 1234567 with 6 is `1.234567`. */
export function writeAmount(digits, decimals) {
    if (decimals === 0) {
        return digits;
    }
    const padded = digits.padStart(decimals + 1, '0');
    return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** What was found, as pairs of a name and a text; none where nothing is verified. */
export function describeFound(report) {
    if (!report.verified) {
        return [];
    }
    const { statement, payout, absent } = report;
    const common = [
        ['statement', statement.origin],
        ['epoch', `${statement.epoch}, revision ${statement.revision}`],
        ['period', `${statement.period_start} to ${statement.period_end}`],
    ];
    if (payout === undefined) {
        const account = absent.startsWith('identity:') ? [['notice', BOUND]] : [];
        return [...common, ['claimant', absent], ...account, ['verified', 'not in this epoch']];
    }
    const [symbol, decimals] = statement.unit.split(' ');
    const events = `${payout.events} event${payout.events === '1' ? '' : 's'}`;
    const proposed = writeAmount(payout.proposed_units, 3);
    const decided =
        payout.override_reason === undefined
            ? []
            : [['decided', `a person set these units, activity gives ${proposed}: ${payout.override_reason}`]];
    return [
        ...common,
        ['claimant', payout.claimant],
        ['units', `${writeAmount(payout.final_units, 3)} from ${events}`],
        ...decided,
        ['payout', `${writeAmount(payout.credits, Number(decimals))} ${symbol}`],
    ];
}
