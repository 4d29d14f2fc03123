// Signed notes (C2SP signed-note; audit/SPEC.md, 14.1): a text, an empty line, and signature lines below it.

import { byteLength, decodeBase64, encodeHex } from './bytes.mjs';
import { isNamedBy, parseKeyName, samePublicKey, verifyLine } from './keys.mjs';
import { inside, Refusal } from './refusal.mjs';

const NOTE_BYTES_MAX = 65_535;
const SIGNATURES_MAX = 100;
const SIGNATURE_BYTES_MAX = 8_192;
const KEY_ID_BYTES = 4;
/** Lines by keys that the reader does not know, on the checkpoint of a log. */
const UNKNOWN_MAX = 16;
const LINE_START = '\u2014 ';

/** Reads a note: its `text` and its `lines` of `name`, `id` (hex) and `signature` (bytes). */
export function parseNote(subject, whole) {
    const refuse = (expected, got) => new Refusal('malformed', subject, expected, got);
    const bytes = byteLength(whole);
    if (bytes > NOTE_BYTES_MAX) {
        throw refuse(`a note of at most ${NOTE_BYTES_MAX} bytes`, `${bytes} bytes`);
    }
    if (/[\0-\x09\x0b-\x1f]/.test(whole)) {
        throw refuse('a note without control characters', 'one');
    }
    // The text may hold empty lines, signatures never do.
    const blank = whole.lastIndexOf('\n\n');
    const rest = whole.slice(blank + 2);
    if (blank < 0 || !rest.endsWith('\n')) {
        throw refuse('a text, an empty line and signature lines, each ended by a newline', 'another form');
    }
    const lines = rest.slice(0, -1).split('\n');
    if (lines.length > SIGNATURES_MAX) {
        throw refuse(`at most ${SIGNATURES_MAX} signature lines`, lines.length);
    }
    return { text: whole.slice(0, blank + 1), lines: lines.map((line) => parseLine(subject, line)) };
}

function parseLine(subject, line) {
    const refuse = (got) => new Refusal('malformed', subject, 'signature lines "\u2014 <name> <base64>"', got);
    const space = line.indexOf(' ', LINE_START.length);
    if (!line.startsWith(LINE_START) || space < 0) {
        throw refuse(line);
    }
    const name = parseKeyName(line.slice(LINE_START.length, space));
    const bytes = decodeBase64(subject, line.slice(space + 1));
    const signature = bytes.slice(KEY_ID_BYTES);
    if (signature.length === 0 || signature.length > SIGNATURE_BYTES_MAX) {
        throw refuse(`${bytes.length} bytes`);
    }
    return { name, id: encodeHex(bytes.subarray(0, KEY_ID_BYTES)), signature };
}

/**
 * Verifies a note that others may have signed too. Gives those of `keys` that signed it: every line that names one of
 * them is valid, no public key signs twice, and at most 16 lines are by others.
 */
export async function verifyKnown(primitives, subject, note, keys) {
    const signers = [];
    let unknown = 0;
    for (const line of note.lines) {
        const key = keys.find((known) => isNamedBy(known, line));
        if (key === undefined) {
            unknown += 1;
            continue;
        }
        if (signers.some((signer) => samePublicKey(signer, key))) {
            throw new Refusal('signer_twice', subject, 'one signature a key', `another line of ${line.name}`);
        }
        await inside(subject, () => verifyLine(primitives, key, note.text, line));
        signers.push(key);
    }
    if (unknown > UNKNOWN_MAX) {
        throw new Refusal('too_many', subject, `at most ${UNKNOWN_MAX} signatures of unknown keys`, unknown);
    }
    return signers;
}
