// Checking a proof file against a trust file (audit/SPEC.md, chapter 22): link by link, in one order, and the first
// that fails is named. This is a second implementation of the specification: it shares nothing with the Rust.

import { decodeText, encodeText, equalBytes } from './bytes.mjs';
import { checkApproved, findNodeKey, splitNodeLine } from './approval.mjs';
import { checkSuccessor, parseApproverSet } from './approvers.mjs';
import { parseCheckpoint } from './checkpoint.mjs';
import { parseAllocation } from './leaf.mjs';
import { checkInclusion, leafHash } from './merkle.mjs';
import { parseNote, verifyKnown } from './note.mjs';
import { parseProof } from './proof.mjs';
import { inside, Refusal } from './refusal.mjs';
import { leafZero, parseStatement } from './statement.mjs';
import { parseTlogProof } from './tlog_proof.mjs';
import { checkUses } from './trust.mjs';

const APPROVER_SETS_MAX = 256;

/**
 * Verifies the bytes of a proof file. `trust` is what `parseTrust` gave. Gives `verified`, `kind` (undefined where the
 * file is no proof), `links` (each with `link`, `ok`, `says`; a failed one is the last, with its `refusal`), and where
 * it is verified `statement`, `approvedBy`, `log`, and `allocation` or `claimant`. `onLink` is called with each link as it
 * is checked. What is neither a yes nor a no, a CannotCheck above all, is thrown.
 */
export async function verifyProof(primitives, proofBytes, trust, onLink = () => {}) {
    const chain = new Chain(primitives, trust, onLink);
    try {
        return await chain.verify(proofBytes);
    } catch (error) {
        if (!(error instanceof Refusal)) {
            throw error;
        }
        return chain.fail(error);
    }
}

class Chain {
    #primitives;
    #trust;
    #onLink;
    #links = [];
    #current = 'format';
    #kind;

    constructor(primitives, trust, onLink) {
        this.#primitives = primitives;
        this.#trust = trust;
        this.#onLink = onLink;
    }

    fail(refusal) {
        this.#record({ link: this.#current, ok: false, says: refusal.message, refusal });
        return { verified: false, kind: this.#kind, links: this.#links };
    }

    async verify(proofBytes) {
        const proof = await this.#link(
            'format',
            () => this.#readProof(proofBytes),
            () => 'well-formed',
        );
        const signed = (proof.payout ?? proof.left ?? proof.right).note;
        const { statement, log, approvedBy } = await this.#checkStatement(signed, proof);
        const found =
            proof.kind === 'payout'
                ? { allocation: await this.#checkLeaf(proof.payout, statement) }
                : { claimant: await this.#checkGap(proof, statement) };
        await this.#link(
            'log_inclusion',
            () => this.#checkLogged(log, log.proof, encodeText(signed)),
            () => `entry ${log.proof.index} of ${log.origin} at size ${log.size}`,
        );
        return { verified: true, kind: proof.kind, links: this.#links, statement, approvedBy, log, ...found };
    }

    async #link(name, check, says) {
        this.#current = name;
        const value = await check();
        this.#record({ link: name, ok: true, says: says(value) });
        return value;
    }

    #record(link) {
        this.#links.push(link);
        this.#onLink(link);
    }

    #readProof(bytes) {
        const { kind, fields } = parseProof(bytes);
        this.#kind = kind;
        const read = (name) => (fields.has(name) ? parseTlogProof(name, fields.get(name)) : undefined);
        const [payout, left, right] = ['payout', 'left', 'right'].map(read);
        if (kind === 'absence' && left === undefined && right === undefined) {
            throw new Refusal('missing_field', 'absence proof', 'left or right', 'neither');
        }
        if (left !== undefined && right !== undefined && left.note !== right.note) {
            throw new Refusal('mismatch', 'right', 'the statement of left', 'another');
        }
        return { kind, payout, left, right, fields };
    }

    /** The links between the trust file and an approved statement. */
    async #checkStatement(signed, { fields }) {
        const trust = this.#trust;
        const { note, statement } = await this.#link(
            'scope',
            () => this.#readStatement(signed),
            (read) => `${read.statement.originLine} of node ${read.statement.node}`,
        );
        const log = await this.#link(
            'log_checkpoint',
            () => this.#readLog(fields.get('log')),
            ({ origin, size }) => `${origin} at size ${size} is signed by a key of the trust file`,
        );
        await this.#link(
            'witnesses',
            () => this.#checkWitnesses(log.cosigners),
            (says) => says,
        );
        const set = await this.#link(
            'approver_sets',
            () => this.#followSets(statement, log, fields.get('approver_sets')),
            ({ version }) =>
                `version ${version} of the approver set, from the trust file's version ${trust.set.version}`,
        );
        const lines = await this.#link(
            'node_signature',
            () => this.#splitNodeLine(note, statement.originLine),
            () => 'the node issued the statement (this is no approval)',
        );
        const approvedBy = await this.#link(
            'approvals',
            () => checkApproved(this.#primitives, statement, set, note.text, lines),
            (names) =>
                `${names.length} of ${set.members.length} approvers signed in time ` +
                `(${set.threshold} needed): ${names.join(', ')}`,
        );
        return { statement, log, approvedBy };
    }

    async #readStatement(signed) {
        const { node, origin, scope, set } = this.#trust;
        const note = parseNote('statement', signed);
        const statement = await parseStatement(this.#primitives, note.text);
        const expected = `node ${node}, scope ${set.scope} ${origin}/${scope}`;
        const got = `node ${statement.node}, scope ${statement.scope} ${statement.origin}/${statement.scopeKey}`;
        if (expected !== got) {
            throw new Refusal('mismatch', 'statement', expected, got);
        }
        return { note, statement };
    }

    async #readLog(text) {
        const proof = parseTlogProof('log', text);
        if (proof.extra !== undefined) {
            throw new Refusal('unknown_field', 'log', 'a tlog-proof without extra', 'an extra line');
        }
        const note = parseNote('log checkpoint', proof.note);
        const { origin, size, root, extension } = parseCheckpoint('log checkpoint', note.text);
        if (extension.length > 0) {
            throw new Refusal('malformed', 'log checkpoint', 'no extension lines', extension[0]);
        }
        const isInForce = ({ key, untilSize }) => key.name === origin && (untilSize === undefined || size <= untilSize);
        const logs = this.#trust.logKeys.filter(isInForce).map(({ key }) => key);
        const known = [...logs, ...this.#trust.policy.witnesses];
        const signers = await verifyKnown(this.#primitives, 'log checkpoint', note, known);
        if (!signers.some((key) => logs.includes(key))) {
            const expected = `a signature of ${origin} by a log key of the trust file that held at size ${size}`;
            throw new Refusal('signer_unknown', 'log checkpoint', expected, 'none');
        }
        return { origin, size, root, proof, cosigners: signers.filter((key) => !logs.includes(key)) };
    }

    #checkWitnesses(cosigners) {
        const { policy } = this.#trust;
        if (!policy.isSatisfiedBy(cosigners)) {
            const got = `${cosigners.length} witnesses that do not reach it`;
            throw new Refusal('quorum_missing', 'witnesses', "the trust file's quorum", got);
        }
        return policy.wantsWitnesses
            ? "the trust file's quorum of witnesses has cosigned the checkpoint"
            : 'the trust file wants no witnesses, so that others may be shown another log';
    }

    /** From the trust file's approver set to the statement's, each version logged before the statement. */
    async #followSets(statement, log, texts) {
        if (texts.length > APPROVER_SETS_MAX) {
            throw new Refusal('too_many', 'approver_sets', `at most ${APPROVER_SETS_MAX}`, texts.length);
        }
        let current = this.#trust.set;
        const hashes = [...this.#trust.setHashes];
        for (const [position, text] of texts.entries()) {
            const step = () => this.#followSet(current, hashes, text, log);
            current = await inside(`approver_sets[${position}]`, step);
            hashes.push(current.leafHash);
        }
        const wanted = statement.approvers;
        if (wanted.version !== current.version || !equalBytes(wanted.textHash, current.textHash)) {
            throw new Refusal('mismatch', 'approver set', `version ${wanted.version}`, `version ${current.version}`);
        }
        return current;
    }

    async #followSet(current, hashes, text, log) {
        const proof = parseTlogProof('approver set', text);
        if (proof.extra === undefined) {
            throw new Refusal('missing_field', 'extra', 'the signed approver set', 'none');
        }
        if (proof.note !== log.proof.note) {
            throw new Refusal('mismatch', 'checkpoint', 'the checkpoint of log', 'another');
        }
        if (proof.index >= log.proof.index) {
            throw new Refusal('mismatch', 'index', `an index below the statement's ${log.proof.index}`, proof.index);
        }
        await this.#checkLogged(log, proof, proof.extra);
        const note = parseNote('extra', decodeText('extra', proof.extra));
        const next = await parseApproverSet(this.#primitives, note.text);
        checkUses(this.#trust, next);
        const logKeys = this.#trust.logKeys.map(({ key }) => key);
        const nodeKey = await findNodeKey(this.#primitives, note, next.originLine, logKeys);
        await checkSuccessor(this.#primitives, current, hashes, next, note, nodeKey);
        return next;
    }

    async #splitNodeLine(note, originLine) {
        const logKeys = this.#trust.logKeys.map(({ key }) => key);
        const nodeKey = await findNodeKey(this.#primitives, note, originLine, logKeys);
        return splitNodeLine(this.#primitives, note, originLine, nodeKey);
    }

    async #checkLeaf(payout, statement) {
        const allocation = await this.#link(
            'leaf',
            () => readAllocation('payout', payout, statement),
            (leaf) => `${leaf.get('claimant')} gets ${leaf.get('credits')} ${statement.unit.symbol}`,
        );
        const check = () => {
            if (payout.index === 0n) {
                throw new Refusal(
                    'inclusion_invalid',
                    'allocation',
                    "an index from 1, after the statement's lines",
                    '0',
                );
            }
            return this.#checkIncluded(payout, statement);
        };
        const says = () => `leaf ${payout.index} of ${statement.size} under the statement's root`;
        await this.#link('inclusion', check, says);
        return allocation;
    }

    async #checkGap({ left, right, fields }, statement) {
        const claimant = fields.get('claimant');
        await this.#link(
            'leaf',
            () => checkNeighbours(claimant, left, right, statement),
            () => `${claimant} would stand between two neighbours (that leaves ascend is the approvers' check)`,
        );
        const check = async () => {
            for (const neighbour of [left, right].filter((proof) => proof !== undefined)) {
                await this.#checkIncluded(neighbour, statement);
            }
        };
        await this.#link('inclusion', check, () => "the neighbours are under the statement's root");
        return claimant;
    }

    async #checkIncluded({ extra, index, path }, { size, root }) {
        const hash = await leafHash(this.#primitives, extra);
        await checkInclusion(this.#primitives, 'allocation', hash, index, size, path, root);
    }

    async #checkLogged(log, { index, path }, entry) {
        const hash = await leafHash(this.#primitives, entry);
        await checkInclusion(this.#primitives, 'log entry', hash, index, log.size, path, log.root);
    }
}

/** The allocation leaf in a tlog-proof, which is of the statement's scope, epoch and revision. */
function readAllocation(subject, proof, statement) {
    if (proof.extra === undefined) {
        throw new Refusal('missing_field', subject, 'the allocation leaf as extra', 'none');
    }
    const leaf = parseAllocation(proof.extra);
    const expected = `scope ${statement.scope} epoch ${statement.epoch} revision ${statement.revision}`;
    const got = `scope ${leaf.get('scope')} epoch ${leaf.get('epoch')} revision ${leaf.get('revision')}`;
    if (expected !== got) {
        throw new Refusal('mismatch', 'allocation', expected, got);
    }
    return leaf;
}

/** The neighbours leave no room for the claimant: one of the cases of 21.3 holds. */
function checkNeighbours(claimant, left, right, statement) {
    const keyOf = (subject, proof) => readAllocation(subject, proof, statement).get('claimant');
    const demand = (holds, expected, got) => {
        if (!holds) {
            throw new Refusal('mismatch', 'neighbours', expected, got);
        }
    };
    if (left !== undefined && right !== undefined) {
        const isAdjacent = left.index >= 1n && left.index + 1n === right.index;
        demand(isAdjacent, 'adjacent allocation leaves', `${left.index} and ${right.index}`);
        const [below, above] = [keyOf('left', left), keyOf('right', right)];
        // Keys are ASCII, so that the order of characters is that of bytes.
        demand(below < claimant && claimant < above, 'left < claimant < right', `${below} and ${above}`);
    } else if (right !== undefined) {
        const above = keyOf('right', right);
        const expected = 'the first allocation, after the claimant';
        demand(right.index === 1n && claimant < above, expected, `leaf ${right.index}, ${above}`);
    } else if (statement.size === 1n) {
        const isLeafZero = left.extra !== undefined && equalBytes(left.extra, encodeText(leafZero(statement)));
        demand(left.index === 0n && isLeafZero, 'leaf 0 of a statement without allocations', `leaf ${left.index}`);
    } else {
        const below = keyOf('left', left);
        const isLast = left.index + 1n === statement.size && left.index >= 1n;
        demand(isLast && below < claimant, 'the last allocation, before the claimant', `leaf ${left.index}, ${below}`);
    }
}
