// Trees (RFC 6962, RFC 9162; audit/SPEC.md, chapter 3): hashes of leaves and nodes, small roots, inclusion.

import { concatBytes, encodeHex, equalBytes } from './bytes.mjs';
import { Refusal } from './refusal.mjs';

/** The hash of a leaf. */
export function leafHash(primitives, leaf) {
    return primitives.sha256(concatBytes(Uint8Array.of(0x00), leaf));
}

function nodeHash(primitives, left, right) {
    return primitives.sha256(concatBytes(Uint8Array.of(0x01), left, right));
}

/** The root over leaf hashes. */
export async function rootOf(primitives, hashes) {
    if (hashes.length === 0) {
        return primitives.sha256(new Uint8Array());
    }
    if (hashes.length === 1) {
        return hashes[0];
    }
    let split = 1;
    while (split * 2 < hashes.length) {
        split *= 2;
    }
    const left = await rootOf(primitives, hashes.slice(0, split));
    return nodeHash(primitives, left, await rootOf(primitives, hashes.slice(split)));
}

/** Checks that the leaf with this hash is at `index` of the tree of `size` leaves with `root`. */
export async function checkInclusion(primitives, subject, hash, index, size, path, root) {
    const refuse = (expected, got) => new Refusal('inclusion_invalid', subject, expected, got);
    if (index >= size) {
        throw refuse(`an index below the tree's size ${size}`, index);
    }
    let node = index;
    let last = size - 1n;
    let computed = hash;
    for (const sibling of path) {
        if (last === 0n) {
            throw refuse('a path of the length that index and size demand', `${path.length} hashes`);
        }
        if (node % 2n === 1n || node === last) {
            computed = await nodeHash(primitives, sibling, computed);
            while (node % 2n === 0n && node !== 0n) {
                node >>= 1n;
                last >>= 1n;
            }
        } else {
            computed = await nodeHash(primitives, computed, sibling);
        }
        node >>= 1n;
        last >>= 1n;
    }
    if (last !== 0n) {
        throw refuse('a path of the length that index and size demand', `${path.length} hashes`);
    }
    if (!equalBytes(computed, root)) {
        throw refuse(`a path to the root ${encodeHex(root)}`, `one to ${encodeHex(computed)}`);
    }
}
