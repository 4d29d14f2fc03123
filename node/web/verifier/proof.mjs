// Proof files (audit/SPEC.md, chapter 21): one line of canonical JSON that holds whole texts verbatim.

import { parseObject, readCanonical, stringOf, stringsOf } from './canonical.mjs';
import { Refusal } from './refusal.mjs';
import { parseClaimant } from './words.mjs';

/** The longest proof file, in bytes. */
export const PROOF_BYTES_MAX = 4_194_304;

const text = (name, optional = false) => [name, { read: (value) => stringOf(name, value), optional }];
const approverSets = ['approver_sets', { read: (value) => stringsOf('approver_sets', value) }];
const PAYOUT_FIELDS = new Map([approverSets, text('format'), text('log'), text('payout')]);
const ABSENCE_FIELDS = new Map([
    approverSets,
    ['claimant', { read: (value) => parseClaimant(stringOf('claimant', value)) }],
    text('format'),
    text('left', true),
    text('log'),
    text('right', true),
]);
const KINDS = new Map([
    ['meed/payout-proof/v1', { kind: 'payout', fields: PAYOUT_FIELDS }],
    ['meed/absence-proof/v1', { kind: 'absence', fields: ABSENCE_FIELDS }],
]);

/** Reads a proof file: its `kind` (`payout` or `absence`) and a Map of its `fields`. */
export function parseProof(bytes) {
    if (bytes.length > PROOF_BYTES_MAX) {
        throw new Refusal('input_too_large', 'proof', `at most ${PROOF_BYTES_MAX} bytes`, `${bytes.length} bytes`);
    }
    if (bytes[bytes.length - 1] !== 0x0a) {
        const got = 'none: an editor or a copy took it away, or the file is not whole';
        throw new Refusal('not_canonical', 'proof', 'a newline at the end of the file', got);
    }
    const line = bytes.subarray(0, -1);
    const format = stringOf('proof format', parseObject('proof', line).format);
    const known = KINDS.get(format);
    if (known === undefined) {
        throw new Refusal('mismatch', 'proof format', [...KINDS.keys()].join(' or '), format);
    }
    return { kind: known.kind, fields: readCanonical('proof', line, known.fields) };
}
