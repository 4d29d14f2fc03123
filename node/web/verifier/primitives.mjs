// What is taken from WebCrypto: SHA-256, SHA-1 (for UUID version 5 only) and Ed25519. Nothing is checked without them,
// and before anything is, each has to give a known answer.

import { decodeHex, encodeHex } from './bytes.mjs';
import { CannotCheck } from './refusal.mjs';

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const EMPTY_SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
/** The first test of RFC 8032, 7.1: a signature of no bytes. */
const KNOWN_KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const KNOWN_SIGNATURE =
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
    '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';

const NO_WEBCRYPTO = 'there is no WebCrypto here (crypto.subtle is missing, as in pages over plain http)';
const NO_ED25519 = 'the WebCrypto here cannot check Ed25519 signatures: take a newer browser';

/**
 * The primitives over a `SubtleCrypto`: `sha256(bytes)`, `sha1(bytes)` and `verifyEd25519(key, signature, message)`,
 * which is WebCrypto's own verdict and no strict one.
 */
export async function openPrimitives(subtle) {
    if (!subtle || typeof subtle.digest !== 'function') {
        throw new CannotCheck(NO_WEBCRYPTO);
    }
    const primitives = {
        sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes)),
        sha1: async (bytes) => new Uint8Array(await subtle.digest('SHA-1', bytes)),
        verifyEd25519: (key, signature, message) => verifyEd25519(subtle, key, signature, message),
    };
    await checkKnownAnswers(primitives);
    return primitives;
}

async function verifyEd25519(subtle, key, signature, message) {
    let imported;
    try {
        imported = await subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
    } catch (error) {
        // Bytes that are no key were refused before, so that this is a browser without Ed25519 or an odd one.
        throw new CannotCheck(`${NO_ED25519} (${error.name})`);
    }
    // `true` alone is a yes.
    return (await subtle.verify({ name: 'Ed25519' }, imported, signature, message)) === true;
}

async function checkKnownAnswers({ sha256, sha1, verifyEd25519: verify }) {
    const nothing = new Uint8Array();
    let hashes;
    try {
        hashes = [encodeHex(await sha256(nothing)), encodeHex(await sha1(nothing))];
    } catch {
        throw new CannotCheck(NO_WEBCRYPTO);
    }
    const [key, signature] = [decodeHex(KNOWN_KEY), decodeHex(KNOWN_SIGNATURE)];
    const accepts = await verify(key, signature, nothing);
    const refuses = !(await verify(key, signature, Uint8Array.of(0)));
    if (hashes[0] !== EMPTY_SHA256 || hashes[1] !== EMPTY_SHA1 || !accepts || !refuses) {
        throw new CannotCheck('the WebCrypto here gives wrong answers to known questions');
    }
}
