// Approval (audit/SPEC.md, 14.5 and chapter 15): the node's own line, which counts for nothing, and the approvers'.

import { encodeHex, equalBytes } from './bytes.mjs';
import { isNamedBy, LOG_TYPE, makeKey, parseKeyName, samePublicKey, verifyLine } from './keys.mjs';
import { inside, Refusal } from './refusal.mjs';

/** The member of a set that a signature line names, if there is one. */
export function findSigner(set, line) {
    return set.members.find((member) => isNamedBy(member, line));
}

/** Checks a member's line over a text; gives its time in seconds. `member` is undefined where nobody is named. */
export async function checkApproval(primitives, member, text, line) {
    if (member === undefined) {
        throw new Refusal('signer_unknown', 'signature', 'a member of the approver set', `${line.name}+${line.id}`);
    }
    return verifyLine(primitives, member, text, line);
}

/**
 * The one of `logKeys` by which a note says that the node signed it. Where it names none of them it is the first, whose
 * check then says what is wrong.
 */
export async function findNodeKey(primitives, note, originLine, logKeys) {
    for (const key of logKeys) {
        const renamed = await makeKey(primitives, originLine, LOG_TYPE, key.bytes);
        if (note.lines.some((line) => isNamedBy(renamed, line))) {
            return key;
        }
    }
    return logKeys[0];
}

/** Checks the node's line, which has to be there once and be valid, and gives all others. */
export async function splitNodeLine(primitives, note, originLine, logKey) {
    const key = await makeKey(primitives, parseKeyName(originLine), LOG_TYPE, logKey.bytes);
    const own = note.lines.filter((line) => line.name === originLine);
    if (own.length > 1) {
        throw new Refusal('signer_twice', originLine, 'one line of the node', own.length);
    }
    if (own.length === 0) {
        throw new Refusal('signature_invalid', originLine, 'a signature line of the node', 'none');
    }
    await verifyLine(primitives, key, note.text, own[0]);
    return note.lines.filter((line) => line.name !== originLine);
}

/** Checks that a set approved a statement (15.1); gives the names of who signed. `lines` are without the node's. */
export async function checkApproved(primitives, statement, set, text, lines) {
    checkNamed(statement, set);
    const signers = [];
    for (const line of lines) {
        const signer = findSigner(set, line);
        const seconds = await inside('statement', () => checkApproval(primitives, signer, text, line));
        if (signers.some((other) => samePublicKey(other, signer))) {
            throw new Refusal('signer_twice', 'statement', 'one signature a key', `another line of ${line.name}`);
        }
        checkTime(statement, signer, seconds);
        signers.push(signer);
    }
    if (signers.length < set.threshold) {
        const expected = `the approval of ${set.threshold} of ${set.members.length}`;
        throw new Refusal('quorum_missing', 'statement', expected, `that of ${signers.length}`);
    }
    return signers.map((signer) => signer.name);
}

/** The statement names this set (15.1, point 1). */
function checkNamed(statement, set) {
    const line = statement.approvers;
    const isNamed =
        line.version === set.version &&
        equalBytes(line.textHash, set.textHash) &&
        line.threshold === set.threshold &&
        line.members === set.members.length &&
        statement.node === set.node &&
        statement.scope === set.scope &&
        statement.origin === set.origin;
    if (!isNamed) {
        const expected = `version ${line.version} with hash ${encodeHex(line.textHash)}`;
        const got = `version ${set.version} with hash ${encodeHex(set.textHash)}`;
        throw new Refusal('mismatch', 'approver set', expected, got);
    }
}

/** Signed after the period began, and not after Sign By. */
function checkTime(statement, signer, seconds) {
    const ms = seconds * 1000n;
    if (ms <= statement.periodStartMs || ms > statement.signByMs) {
        const expected = `a time after ${statement.periodStart} and not after ${statement.signBy}`;
        throw new Refusal('signature_out_of_time', `approval of ${signer.name}`, expected, `${seconds} s since 1970`);
    }
}
