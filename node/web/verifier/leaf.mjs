// The allocation leaf (audit/SPEC.md, 11.4): what one claimant gets.

import { parseCount } from './bytes.mjs';
import { readCanonical, stringOf } from './canonical.mjs';
import { Refusal } from './refusal.mjs';
import { parseClaimant, parseFreeText, parseNumber, parseSum, parseUuid } from './words.mjs';

const VERSION = 'meed/allocation/v1';

const field = (name, read) => [name, { read: (value) => read(stringOf(name, value)) }];
const FIELDS = new Map([
    field('claimant', parseClaimant),
    field('credits', (text) => parseSum('credits', text)),
    field('epoch', (text) => parseNumber('epoch', text, 1n)),
    field('events', (text) => parseCount('events', text)),
    field('final_units', (text) => parseSum('final_units', text)),
    ['override_reason', { read: (value) => parseFreeText(stringOf('override_reason', value)), optional: true }],
    field('proposed_units', (text) => parseSum('proposed_units', text)),
    field('revision', (text) => parseNumber('revision', text, 0n)),
    field('scope', (text) => parseUuid('scope_id', text)),
    field('v', parseVersion),
]);

function parseVersion(text) {
    if (text !== VERSION) {
        throw new Refusal('malformed', 'v', VERSION, text);
    }
    return text;
}

/** Reads the leaf's canonical bytes and nothing else; gives a Map from field to value. */
export function parseAllocation(bytes) {
    return readCanonical(VERSION, bytes, FIELDS);
}
