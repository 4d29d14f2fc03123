// tlog-policy (C2SP tlog-policy; audit/SPEC.md, chapter 20): which witnesses there are, and which are a quorum.

import { byteLength, parseCount } from './bytes.mjs';
import { COSIGNER_TYPE, LOG_TYPE, parseKey, samePublicKey } from './keys.mjs';
import { inside, Refusal } from './refusal.mjs';

const POLICY_BYTES_MAX = 65_536;
const NONE = 'none';

function refuse(expected, got) {
    return new Refusal('malformed', 'policy', expected, got);
}

/** Reads a policy: `logs`, `witnesses` (keys), and `isSatisfiedBy(keys)`. */
export async function parsePolicy(primitives, text) {
    const bytes = byteLength(text);
    if (bytes > POLICY_BYTES_MAX) {
        throw new Refusal('input_too_large', 'policy', `at most ${POLICY_BYTES_MAX} bytes`, `${bytes} bytes`);
    }
    const policy = new Policy();
    for (const [position, line] of text.split('\n').entries()) {
        if (/[\0-\x08\x0a-\x1f\x7f]/.test(line)) {
            throw refuse(`line ${position + 1} without control characters`, line);
        }
        const words = line.split(/[ \t]+/).filter((word) => word !== '');
        if (words.length > 0 && !words[0].startsWith('#')) {
            await inside(`policy line ${position + 1}`, () => policy.readLine(primitives, words));
        }
    }
    policy.finish();
    return policy;
}

class Policy {
    logs = [];
    /** Witnesses (keys) and groups (`threshold`, `members`) by name. */
    #members = new Map();
    /** Names that are members of a group. */
    #grouped = new Set();
    /** The name of what must have cosigned, or `none`. */
    #quorum;

    get witnesses() {
        return [...this.#members.values()].filter((member) => member.bytes !== undefined);
    }

    get wantsWitnesses() {
        return this.#quorum !== NONE;
    }

    /** Whether cosignatures by these keys satisfy the quorum. */
    isSatisfiedBy(keys) {
        return !this.wantsWitnesses || this.#holds(this.#quorum, keys);
    }

    /** Groups name only what stands before them, so that this ends. */
    #holds(name, keys) {
        const member = this.#members.get(name);
        if (member.bytes !== undefined) {
            return keys.some((key) => samePublicKey(key, member));
        }
        return member.members.filter((inner) => this.#holds(inner, keys)).length >= member.threshold;
    }

    async readLine(primitives, [word, ...rest]) {
        if (word === 'log' && (rest.length === 1 || rest.length === 2)) {
            const key = await parseKey(primitives, 'policy key', rest[0], LOG_TYPE);
            if (this.logs.some((known) => samePublicKey(known, key))) {
                throw refuse('each log key once', rest[0]);
            }
            this.logs.push(key);
        } else if (word === 'witness' && (rest.length === 2 || rest.length === 3)) {
            const key = await parseKey(primitives, 'policy key', rest[1], COSIGNER_TYPE);
            if (this.witnesses.some((known) => samePublicKey(known, key))) {
                throw refuse('each witness key once', rest[1]);
            }
            this.#define(rest[0], key);
        } else if (word === 'group' && rest.length >= 2) {
            const [name, threshold, ...members] = rest;
            this.#define(name, this.#readGroup(threshold, members));
        } else if (word === 'quorum' && rest.length === 1 && this.#quorum === undefined) {
            if (rest[0] !== NONE && !this.#members.has(rest[0])) {
                throw refuse('a name that is defined before, or none', rest[0]);
            }
            this.#quorum = rest[0];
        } else {
            throw refuse('log, witness, group or (once) quorum, with their words', [word, ...rest].join(' '));
        }
    }

    finish() {
        if (this.#quorum === undefined || this.logs.length === 0) {
            throw refuse('at least one log line and one quorum line', 'less');
        }
    }

    #define(name, member) {
        if (name === NONE || this.#members.has(name)) {
            throw refuse('a name that is not defined yet', name);
        }
        this.#members.set(name, member);
    }

    #readGroup(word, members) {
        for (const name of members) {
            if (this.#grouped.has(name) || !this.#members.has(name)) {
                throw refuse('members that are defined before, each in one group once', name);
            }
            this.#grouped.add(name);
        }
        const words = new Map([
            ['any', 1n],
            ['all', BigInt(members.length)],
        ]);
        const threshold = words.get(word) ?? parseCount('threshold', word);
        if (threshold < 1n || threshold > members.length) {
            throw refuse('a threshold from 1 to the number of members', word);
        }
        return { threshold: Number(threshold), members };
    }
}
