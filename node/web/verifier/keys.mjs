// Verifier keys: who a public key is and how it signs, in one line of text (audit/SPEC.md, 14.2).

import { byteLength, concatBytes, decodeBase64, encodeBase64, encodeHex, encodeText, equalBytes } from './bytes.mjs';
import { publicKeyFault, verifyStrict } from './ed25519.mjs';
import { Refusal } from './refusal.mjs';

/** The type of logs' keys: Ed25519 over the text. */
export const LOG_TYPE = 0x01;
/** The type of approvers' and witnesses' keys: Ed25519 over time and text (cosignature/v1). */
export const COSIGNER_TYPE = 0x04;

const NAME_BYTES_MAX = 255;
const VERIFIER_KEY_BYTES_MAX = NAME_BYTES_MAX + 1 + 8 + 1 + 44;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;

/** A key's name: no white space, no control character, no `+`. */
export function parseKeyName(text) {
    const bytes = byteLength(text);
    if (bytes === 0 || bytes > NAME_BYTES_MAX || /[\p{White_Space}\p{Cc}+]/u.test(text)) {
        const expected = `1 to ${NAME_BYTES_MAX} bytes without white space, control characters and +`;
        throw new Refusal('malformed', 'key name', expected, text);
    }
    return text;
}

/** A key of its parts: `name`, `type`, `bytes` (the public key) and `id` (hex). */
export async function makeKey(primitives, name, type, bytes) {
    const hash = await primitives.sha256(concatBytes(encodeText(name), Uint8Array.of(0x0a, type), bytes));
    return { name, type, bytes, id: encodeHex(hash.subarray(0, 4)) };
}

/** The line of a key. */
export function writeKey({ name, type, bytes, id }) {
    return `${name}+${id}+${encodeBase64(concatBytes(Uint8Array.of(type), bytes))}`;
}

/** Reads a verifier key of a type. */
export async function parseKey(primitives, subject, text, type) {
    const refuse = (expected, got) => new Refusal('key_invalid', subject, expected, got);
    const [name, id, encoded, ...rest] = text.split('+');
    // Base64 may hold the character that parts the three.
    const base64 = [encoded, ...rest].join('+');
    if (byteLength(text) > VERIFIER_KEY_BYTES_MAX || id === undefined || encoded === undefined) {
        throw refuse('a verifier key <name>+<key id>+<base64>', text);
    }
    let bytes;
    try {
        parseKeyName(name);
        bytes = decodeBase64(subject, base64);
    } catch (error) {
        throw error instanceof Refusal ? refuse(`a verifier key with ${error.expected}`, error.got) : error;
    }
    if (bytes[0] !== type) {
        throw refuse(`a key of type 0x0${type}`, text);
    }
    const fault = publicKeyFault(bytes.subarray(1));
    if (fault !== undefined) {
        throw refuse('an Ed25519 public key in its one encoding', fault);
    }
    const key = await makeKey(primitives, name, type, bytes.slice(1));
    if (key.id !== id) {
        throw refuse(`key id ${key.id} of ${name}`, id);
    }
    return key;
}

/** Whether two keys have one public key. */
export function samePublicKey(left, right) {
    return equalBytes(left.bytes, right.bytes);
}

/** Whether two keys are one: name, type and public key. */
export function sameKey(left, right) {
    return left.name === right.name && left.type === right.type && samePublicKey(left, right);
}

/** Whether a signature line names a key, which proves nothing. */
export function isNamedBy(key, line) {
    return key.name === line.name && key.id === line.id;
}

/**
 * Checks that `line` is `key`'s signature of `text`. Gives the time in seconds since 1970 that a cosignature states,
 * and nothing for a log's signature; a Refusal says what is wrong.
 */
export async function verifyLine(primitives, key, text, line) {
    const refuse = (expected, got) => new Refusal('signature_invalid', `signature of ${key.name}`, expected, got);
    if (!isNamedBy(key, line)) {
        throw refuse(`a signature by ${key.name}+${key.id}`, `one by ${line.name}+${line.id}`);
    }
    const timeBytes = key.type === COSIGNER_TYPE ? TIME_BYTES : 0;
    if (line.signature.length !== timeBytes + SIGNATURE_BYTES) {
        throw refuse(`${timeBytes + SIGNATURE_BYTES} bytes`, `${line.signature.length} bytes`);
    }
    const signature = line.signature.subarray(timeBytes);
    let message = text;
    let seconds;
    if (key.type === COSIGNER_TYPE) {
        seconds = line.signature.subarray(0, TIME_BYTES).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
        message = `cosignature/v1\ntime ${seconds}\n${text}`;
    }
    if (!(await verifyStrict(primitives, key.bytes, signature, encodeText(message)))) {
        throw refuse('a valid signature by this key over this text', 'one that does not verify');
    }
    return seconds;
}
