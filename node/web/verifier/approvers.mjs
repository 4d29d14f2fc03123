// Approver sets (audit/SPEC.md, chapters 12 and 16): who may approve, and how one version follows another.

import { encodeBase64, encodeHex, encodeText } from './bytes.mjs';
import { writeCanonical } from './canonical.mjs';
import { LabelledLines, parseCheckpoint } from './checkpoint.mjs';
import { checkApproval, findSigner, splitNodeLine } from './approval.mjs';
import { COSIGNER_TYPE, parseKey, sameKey, samePublicKey, writeKey } from './keys.mjs';
import { leafHash, rootOf } from './merkle.mjs';
import { inside, Refusal } from './refusal.mjs';
import { deriveScopeId, parseNumber, parseOrigin, parseScopeKey, parseSmall, parseUuid } from './words.mjs';

const TITLE = 'meed approver set v1';
const MEMBERS_MAX = 15;
/** The last moment at which a member can have signed, in ms since 1970. */
const TIME_MS_MAX = 2n ** 63n - 1n;

/** Reads a set's text, and refuses it unless writing it again gives the same bytes. */
export async function parseApproverSet(primitives, text) {
    const checkpoint = parseCheckpoint('approver set', text);
    const lines = new LabelledLines(checkpoint.extension);
    lines.title(TITLE);
    const node = parseUuid('node_id', lines.value('Node'));
    const [scopeText, keyText] = lines.words('Scope', ['', '']);
    const scopeKey = parseScopeKey(keyText);
    const scope = parseUuid('scope_id', scopeText);
    const { threshold, members } = await parseMembers(primitives, lines);
    const suffix = `/${scopeKey}/approvers`;
    if (!checkpoint.origin.endsWith(suffix)) {
        throw new Refusal('mismatch', 'approver set origin', `a line ending in ${suffix}`, checkpoint.origin);
    }
    const origin = parseOrigin(checkpoint.origin.slice(0, -suffix.length));
    const version = parseNumber('version', String(checkpoint.size), 1n);
    const set = { origin, originLine: checkpoint.origin, node, scope, scopeKey, version, threshold, members };
    set.root = checkpoint.root;
    if (writeSet(set) !== text || scope !== (await deriveScopeId(primitives, node, scopeKey))) {
        throw new Refusal('not_canonical', 'approver set', 'the one form of its content', 'another form');
    }
    set.textHash = await primitives.sha256(encodeText(text));
    set.leafHash = await leafHash(primitives, encodeText(writeLeaf(set)));
    return set;
}

async function parseMembers(primitives, lines) {
    const refuse = (expected, got) => new Refusal('approver_set_invalid', 'approver set', expected, got);
    const [threshold, , count] = lines.words('Threshold', ['', 'of', '']);
    const keys = lines.rest();
    if (keys.length === 0 || keys.length > MEMBERS_MAX || count !== String(keys.length)) {
        throw refuse(`1 to ${MEMBERS_MAX} members, as many as the threshold line says`, keys.length);
    }
    const members = [];
    for (const line of keys) {
        const key = new LabelledLines([line]).value('Approver');
        members.push(await parseKey(primitives, 'approver set', key, COSIGNER_TYPE));
    }
    const k = parseSmall('Threshold', threshold);
    if (k === 0 || k > members.length) {
        throw refuse(`a threshold of 1 to ${members.length}`, threshold);
    }
    checkDistinct(members, refuse);
    return { threshold: k, members };
}

/** Names that can be registered, ascending; distinct public keys and key ids. */
function checkDistinct(members, refuse) {
    for (const [position, member] of members.entries()) {
        if (!/^[\x21-\x7e]+$/.test(member.name)) {
            throw refuse('names of visible ASCII', member.name);
        }
        if (position > 0 && members[position - 1].name >= member.name) {
            throw refuse('distinct names in ascending order', member.name);
        }
        const earlier = members.slice(0, position);
        if (earlier.some((other) => samePublicKey(other, member) || other.id === member.id)) {
            throw refuse('distinct public keys and key ids', member.name);
        }
    }
}

function writeSet(set) {
    const lines = [
        set.originLine,
        set.version,
        encodeBase64(set.root),
        TITLE,
        `Node: ${set.node}`,
        `Scope: ${set.scope} ${set.scopeKey}`,
        `Threshold: ${set.threshold} of ${set.members.length}`,
        ...set.members.map((member) => `Approver: ${writeKey(member)}`),
    ];
    return lines.map((line) => `${line}\n`).join('');
}

/** The leaf of the set's version (12.2). */
function writeLeaf(set) {
    return writeCanonical({
        approvers: set.members.map(writeKey),
        node: set.node,
        scope: set.scope,
        threshold: String(set.threshold),
        v: 'meed/approver-set/v1',
        version: String(set.version),
    });
}

/** Checks that `next` follows `current` (16.1); `hashes` are those of the leaves up to `current`. */
export async function checkSuccessor(primitives, current, hashes, next, note, nodeKey) {
    const root = await rootOf(primitives, [...hashes, next.leafHash]);
    const place = (set, version, top) =>
        `version ${version} of ${set.originLine}, node ${set.node}, root ${encodeHex(top)}`;
    const expected = place(current, hashes.length + 1, root);
    const got = place(next, next.version, next.root);
    if (expected !== got) {
        throw new Refusal('mismatch', 'approver set', expected, got);
    }
    const lines = await splitNodeLine(primitives, note, next.originLine, nodeKey);
    const signers = [];
    for (const line of lines) {
        const signer = findSigner(current, line) ?? findSigner(next, line);
        const seconds = await inside('approver set', () => checkApproval(primitives, signer, note.text, line));
        if (seconds === 0n || seconds * 1000n > TIME_MS_MAX) {
            const expected = 'a time after 1970-01-01T00:00:00Z, below 2^63 ms';
            throw new Refusal('signature_out_of_time', 'approver set', expected, `${seconds} s`);
        }
        if (signers.some((other) => samePublicKey(other, signer))) {
            throw new Refusal('signer_twice', 'approver set', 'one signature a key', `another line of ${line.name}`);
        }
        signers.push(signer);
    }
    checkConsent(current, next, signers);
}

/** k of the version before, and every new member, have signed. */
function checkConsent(current, next, signers) {
    const isAmong = (keys, key) => keys.some((other) => sameKey(other, key));
    const count = signers.filter((signer) => isAmong(current.members, signer)).length;
    if (count < current.threshold) {
        const expected = `${current.threshold} signatures of version ${current.version}`;
        throw new Refusal('quorum_missing', 'approver set', expected, count);
    }
    const missing = next.members.find((key) => !isAmong(current.members, key) && !isAmong(signers, key));
    if (missing !== undefined) {
        throw new Refusal('quorum_missing', 'approver set', `a cosignature of the new member ${missing.name}`, 'none');
    }
}
