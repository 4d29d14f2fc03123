// The forms of identifiers, amounts, times and visible text (audit/SPEC.md, chapters 1 and 2).

import {
    byteLength,
    concatBytes,
    COUNT_MAX,
    decodeHex,
    encodeHex,
    encodeText,
    parseCount,
    parseDecimal,
    SUM_MAX,
} from './bytes.mjs';
import { isDeceptive, Refusal } from './refusal.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const EXTERNAL_IDS = new Map([
    ['discord', /^[1-9][0-9]{0,19}$/],
    ['ed25519', /^[0-9a-f]{64}$/],
    ['git', /^[0-9a-f]{64}$/],
    ['github', /^[1-9][0-9]{0,19}$/],
    ['wallet', /^0x[0-9a-f]{40}$/],
]);
/** The largest number of an epoch, revision or version. */
const NUMBER_MAX = 2n ** 62n;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const FREE_TEXT_BYTES_MAX = 1024;

function matching(kind, expected, pattern, text) {
    if (!pattern.test(text)) {
        throw new Refusal('invalid_identifier', kind, expected, text);
    }
    return text;
}

/** A node id, scope id or user id. */
export function parseUuid(kind, text) {
    return matching(kind, 'a lower-case UUID', UUID, text);
}

/** The readable name of a scope. */
export function parseScopeKey(text) {
    return matching(
        'scope_key',
        'a lower-case letter, then at most 31 of a-z, 0-9 and -',
        /^[a-z][a-z0-9-]{0,31}$/,
        text,
    );
}

/** The schema-less URL under which a node publishes its logs. */
export function parseOrigin(text) {
    const expected = 'host[:port][/path] in lower case, at most 128 bytes, without slash at the end';
    matching('origin', expected, /^[a-z0-9][a-z0-9.:/_~-]{0,127}$/, text);
    const parts = text.split('/');
    if (text.includes('://') || parts.some((part) => part === '' || part === '.' || part === '..')) {
        throw new Refusal('invalid_identifier', 'origin', expected, text);
    }
    return text;
}

/** The number of an epoch, of a revision, or of a version, from `first`. */
export function parseNumber(kind, text, first) {
    const number = parseCount(kind, text);
    if (number < first || number > NUMBER_MAX) {
        throw new Refusal('invalid_identifier', kind, `a number from ${first} to 2^62`, text);
    }
    return number;
}

/** Whether a text is the generation of a log: a count from 1. */
export function isGeneration(text) {
    return /^[1-9][0-9]{0,19}$/.test(text) && BigInt(text) <= COUNT_MAX;
}

/** A number that stands in one byte. */
export function parseSmall(kind, text) {
    return Number(parseDecimal(kind, text, 255n));
}

/** Units or credits: a sum, which is at most 2^128 - 1. */
export function parseSum(kind, text) {
    return parseDecimal(kind, text, SUM_MAX);
}

/** Who earns: a user, or an identity. */
export function parseClaimant(text) {
    const [kind, provider, ...rest] = text.split(':');
    const isUser = kind === 'user' && rest.length === 0 && UUID.test(provider ?? '');
    const isIdentity = kind === 'identity' && rest.length === 1 && (EXTERNAL_IDS.get(provider)?.test(rest[0]) ?? false);
    if (!isUser && !isIdentity) {
        const expected = 'user:<uuid> or identity:<provider>:<external id>';
        throw new Refusal('invalid_claimant', 'claimant', expected, text);
    }
    return text;
}

/** Milliseconds since 1970 of a time in its one form. */
export function parseTime(text) {
    const ms = TIME.test(text) ? Date.parse(text) : NaN;
    // Reading it back refuses what the calendar does not have.
    if (Number.isNaN(ms) || ms < 0 || new Date(ms).toISOString() !== text) {
        throw new Refusal('invalid_time', 'time', 'a time such as 2026-11-10T12:00:00.000Z, from 1970 to 9999', text);
    }
    return BigInt(ms);
}

/** A unit: its symbol and how many decimals people see. */
export function parseUnit(text) {
    const space = text.indexOf(' ');
    const symbol = text.slice(0, Math.max(space, 0));
    matching(
        'unit',
        '1 to 64 of A-Z, a-z, 0-9, . _ : / - and a number of decimals',
        /^[A-Za-z0-9._:/-]{1,64}$/,
        symbol,
    );
    return { symbol, decimals: Number(parseDecimal('decimals', text.slice(space + 1), 36n)) };
}

/** Text by a person: visible, bounded, in NFC. */
export function parseFreeText(text) {
    const bytes = byteLength(text);
    if (bytes === 0 || bytes > FREE_TEXT_BYTES_MAX) {
        throw new Refusal('text_length', 'text', `1 to ${FREE_TEXT_BYTES_MAX} bytes`, `${bytes} bytes`);
    }
    const isVisible = !/\p{Cc}/u.test(text) && !isDeceptive(text) && /\P{White_Space}/u.test(text);
    if (!isVisible || text.normalize('NFC') !== text) {
        throw new Refusal('invalid_text', 'text', 'visible text in Unicode form NFC', text);
    }
    return text;
}

/** The id of the scope `key` of a node: UUID version 5 (RFC 9562) in the name space of the node's id. */
export async function deriveScopeId(primitives, node, key) {
    const space = decodeHex(node.replaceAll('-', ''));
    const hash = await primitives.sha1(concatBytes(space, encodeText(key)));
    hash[6] = (hash[6] & 0x0f) | 0x50;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    const hex = encodeHex(hash.subarray(0, 16));
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
