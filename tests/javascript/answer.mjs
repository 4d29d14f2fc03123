// Answers questions about proofs, trust files and signatures, one line each, so that one process can be asked many:
//
//   trust <base64>                           trust <number> <what it says>   or   refused <reason>
//   proof <number of trust> <base64>         verified <what it says>         or   <link> <reason>
//   key <base64>                             true   or   false: whether it is a public key
//   signature <key> <signature> <message>    true   or   false (each in base64, `=` for nothing)
//
// tests/tests/javascript/ asks, and compares with what the Rust says. See `describe…` there for what is said.

import { webcrypto } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { decodeBase64, decodeText, encodeHex } from '../../node/web/verifier/bytes.mjs';
import { publicKeyFault, verifyStrict } from '../../node/web/verifier/ed25519.mjs';
import { writeKey } from '../../node/web/verifier/keys.mjs';
import { openPrimitives } from '../../node/web/verifier/primitives.mjs';
import { Refusal } from '../../node/web/verifier/refusal.mjs';
import { parseTrust } from '../../node/web/verifier/trust.mjs';
import { verifyProof } from '../../node/web/verifier/verify.mjs';

const primitives = await openPrimitives(webcrypto.subtle);
const trusts = [];
const bytesOf = (word) => (word === '=' ? new Uint8Array() : decodeBase64('question', word));

function describeTrust({ node, origin, scope, set, setHashes, logKeys, policy, fingerprint }) {
    const keys = logKeys.map(({ key, untilSize }) => `${writeKey(key)}@${untilSize ?? 'open'}`);
    const witnesses = policy.witnesses.map(writeKey).sort();
    // Which of the witnesses alone, and whether all of them, are a quorum.
    const alone = policy.witnesses
        .filter((key) => policy.isSatisfiedBy([key]))
        .map(writeKey)
        .sort();
    const all = policy.isSatisfiedBy(policy.witnesses);
    const hashes = setHashes.map(encodeHex);
    const parts = [node, origin, scope, encodeHex(set.textHash), hashes, keys, witnesses, alone, all, fingerprint];
    return parts.map(String).join(' ');
}

function describeProof({ kind, statement, log, approvedBy, allocation, claimant }) {
    const found = kind === 'payout' ? [...allocation.values()].join(' ') : claimant;
    return [kind, encodeHex(statement.textHash), log.origin, log.proof.index, log.size, approvedBy, found].join(' ');
}

async function answer(question) {
    const [kind, ...words] = question.split(' ');
    if (kind === 'trust') {
        try {
            const text = decodeText('trust file', bytesOf(words[0]));
            trusts.push(await parseTrust(primitives, text));
        } catch (error) {
            if (error instanceof Refusal) {
                return `refused ${error.code}`;
            }
            throw error;
        }
        return `trust ${trusts.length - 1} ${describeTrust(trusts.at(-1))}`;
    }
    if (kind === 'proof') {
        const result = await verifyProof(primitives, bytesOf(words[1]), trusts[Number(words[0])]);
        const last = result.links.at(-1);
        return result.verified ? `verified ${describeProof(result)}` : `${last.link} ${last.refusal.code}`;
    }
    if (kind === 'key') {
        return String(publicKeyFault(bytesOf(words[0])) === undefined);
    }
    if (kind === 'signature') {
        const [key, signature, message] = words.map(bytesOf);
        return String(publicKeyFault(key) === undefined && (await verifyStrict(primitives, key, signature, message)));
    }
    throw new Error(`no such question: ${kind}`);
}

for await (const question of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    process.stdout.write(`${await answer(question)}\n`);
}
