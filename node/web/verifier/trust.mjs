// The trust file (audit/SPEC.md, chapter 19): what a verifier believes before it sees any proof.

import { byteLength, encodeBase64, encodeHex, encodeText, equalBytes, parseCount, parseHexHash } from './bytes.mjs';
import { parseApproverSet } from './approvers.mjs';
import { LOG_TYPE, parseKey, sameKey, samePublicKey } from './keys.mjs';
import { rootOf } from './merkle.mjs';
import { parsePolicy } from './policy.mjs';
import { inside, Refusal } from './refusal.mjs';
import { parseToml } from './toml.mjs';
import { isGeneration, parseOrigin, parseScopeKey, parseUuid } from './words.mjs';

/** The longest trust file, in bytes. */
export const TRUST_BYTES_MAX = 262_144;
const FORMAT = 'meed/trust/v1';
const isString = (value) => typeof value === 'string';
const isStrings = (value) => Array.isArray(value) && value.every(isString);
const isTables = (value) => Array.isArray(value) && value.every((item) => item instanceof Map);
const FIELDS = new Map([
    ['format', { is: isString }],
    ['node', { is: isString }],
    ['origin', { is: isString }],
    ['scope', { is: isString }],
    ['approver_set', { is: isString }],
    ['earlier_approver_sets', { is: isStrings }],
    ['policy', { is: isString }],
    ['log_key', { is: isTables }],
]);
const LOG_KEY_FIELDS = new Map([
    ['vkey', { is: isString }],
    ['until_size', { is: isString, optional: true }],
]);

/** Reads a trust file: the text of the file, as it came. */
export async function parseTrust(primitives, text) {
    const bytes = byteLength(text);
    if (bytes > TRUST_BYTES_MAX) {
        throw new Refusal('input_too_large', 'trust file', `at most ${TRUST_BYTES_MAX} bytes`, `${bytes} bytes`);
    }
    const file = parseToml('trust file', text);
    checkFields('trust file', file, FIELDS);
    if (file.get('format') !== FORMAT) {
        throw new Refusal('mismatch', 'trust format', FORMAT, file.get('format'));
    }
    const trust = {
        node: parseUuid('node_id', file.get('node')),
        origin: parseOrigin(file.get('origin')),
        scope: parseScopeKey(file.get('scope')),
        policy: await inside('trust policy', () => parsePolicy(primitives, file.get('policy'))),
        set: await inside('trust approver_set', () => parseApproverSet(primitives, file.get('approver_set'))),
        logKeys: [],
        fingerprint: encodeHex(await primitives.sha256(encodeText(text))),
    };
    const earlier = file.get('earlier_approver_sets').map((hash) => parseHexHash('earlier_approver_sets', hash));
    trust.setHashes = [...earlier, trust.set.leafHash];
    for (const table of file.get('log_key')) {
        checkFields('trust log_key', table, LOG_KEY_FIELDS);
        const key = await parseKey(primitives, 'trust log_key', table.get('vkey'), LOG_TYPE);
        const until = table.get('until_size');
        trust.logKeys.push({ key, untilSize: until === undefined ? undefined : parseCount('until_size', until) });
    }
    await checkSet(primitives, trust);
    checkLogKeys(trust);
    checkUses(trust, trust.set);
    return trust;
}

function checkFields(subject, table, fields) {
    const unknown = [...table.keys()].find((name) => !fields.has(name));
    if (unknown !== undefined) {
        throw new Refusal('malformed', subject, 'the fields of a trust file', `unknown field ${unknown}`);
    }
    for (const [name, { is, optional }] of fields) {
        if (table.has(name) ? !is(table.get(name)) : !optional) {
            throw new Refusal(
                'malformed',
                subject,
                `the field ${name} in its type`,
                table.has(name) ? 'another' : 'none',
            );
        }
    }
}

/** The set is the trusted scope's, and the tree of its versions has the root that its text states. */
async function checkSet(primitives, { node, origin, scope, set, setHashes }) {
    const root = await rootOf(primitives, setHashes);
    const isSame = set.node === node && set.origin === origin && set.scopeKey === scope;
    if (!isSame || set.version !== BigInt(setHashes.length) || !equalBytes(set.root, root)) {
        const expected = `node ${node}, ${origin}/${scope}, version ${setHashes.length} with root ${encodeBase64(root)}`;
        const got = `node ${set.node}, ${set.originLine}, version ${set.version} with root ${encodeBase64(set.root)}`;
        throw new Refusal('mismatch', 'trust approver_set', expected, got);
    }
}

function checkLogKeys({ origin, logKeys, policy }) {
    const prefix = `${origin}/statements/`;
    for (const [position, { key }] of logKeys.entries()) {
        const generation = key.name.startsWith(prefix) ? key.name.slice(prefix.length) : '';
        if (!isGeneration(generation)) {
            throw new Refusal('mismatch', 'trust log_key', `a key named ${prefix}<generation>`, key.name);
        }
        if (logKeys.slice(0, position).some((earlier) => sameKey(earlier.key, key))) {
            throw new Refusal('key_in_use', 'trust log_key', 'each log key once', key.name);
        }
        if (policy.witnesses.some((witness) => samePublicKey(witness, key))) {
            throw new Refusal('key_in_use', 'trust log_key', "a key that is no witness's", key.name);
        }
    }
    const other = policy.logs.find((log) => !logKeys.some(({ key }) => sameKey(key, log)));
    if (other !== undefined) {
        throw new Refusal('mismatch', 'trust policy', 'logs among log_key', other.name);
    }
}

/** One key, one use: no member of a set has the key of a log or witness. */
export function checkUses({ logKeys, policy }, set) {
    const others = [...logKeys.map(({ key }) => key), ...policy.witnesses];
    const used = others.find((key) => set.members.some((member) => samePublicKey(member, key)));
    if (used !== undefined) {
        throw new Refusal('key_in_use', 'approver set', 'keys with one use each', used.name);
    }
}
