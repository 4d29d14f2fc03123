// Proofs of inclusion as text (C2SP tlog-proof; audit/SPEC.md, 18.1): extra data, index, path, signed checkpoint.

import { byteLength, decodeBase64, parseBase64Hash, parseDecimal } from './bytes.mjs';
import { TREE_SIZE_MAX } from './checkpoint.mjs';
import { Refusal } from './refusal.mjs';

const HEADER = 'c2sp.org/tlog-proof@v1';
const PROOF_BYTES_MAX = 1_048_576;
const EXTRA_BYTES_MAX = 65_535;
const PATH_HASHES_MAX = 63;

/** Reads a proof: `extra` (bytes, or undefined), `index`, `path` and `note`. It decides nothing. */
export function parseTlogProof(subject, text) {
    const refuse = (expected, got) => new Refusal('malformed', subject, expected, got);
    if (byteLength(text) > PROOF_BYTES_MAX) {
        throw refuse(`a tlog-proof of at most ${PROOF_BYTES_MAX} bytes`, 'more');
    }
    // The note may hold empty lines; the first one parts it from the proof.
    const blank = text.indexOf('\n\n');
    const lines = text.slice(0, Math.max(blank, 0)).split('\n');
    if (blank < 0 || lines.shift() !== HEADER) {
        throw refuse(`the line ${HEADER}, then a proof, an empty line and a signed checkpoint`, 'another form');
    }
    let extra;
    if (lines[0]?.startsWith('extra ')) {
        extra = parseExtra(subject, lines.shift().slice('extra '.length));
    }
    const indexLine = lines.shift();
    if (!indexLine?.startsWith('index ')) {
        throw refuse('the line index before the path', indexLine ?? 'none');
    }
    const index = parseIndex(subject, indexLine.slice('index '.length));
    if (lines.length > PATH_HASHES_MAX) {
        throw refuse(`a path of at most ${PATH_HASHES_MAX} hashes`, lines.length);
    }
    const path = lines.map((line) => parseBase64Hash(subject, line));
    const note = text.slice(blank + 2);
    if (!note.endsWith('\n') || /[\0-\x09\x0b-\x1f]/.test(note)) {
        throw refuse('a signed checkpoint: lines without control characters, each ended by a newline', 'another form');
    }
    return { extra, index, path, note };
}

function parseExtra(subject, encoded) {
    const extra = decodeBase64(subject, encoded);
    if (extra.length === 0 || extra.length > EXTRA_BYTES_MAX) {
        throw new Refusal('malformed', subject, `extra data of 1 to ${EXTRA_BYTES_MAX} bytes`, `${extra.length} bytes`);
    }
    return extra;
}

function parseIndex(subject, digits) {
    try {
        return parseDecimal(subject, digits, TREE_SIZE_MAX - 1n);
    } catch (error) {
        throw new Refusal('malformed', subject, `an index that is ${error.expected}`, digits);
    }
}
