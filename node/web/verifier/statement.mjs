// The payout statement (audit/SPEC.md, chapter 13): parsed strictly, written again, and refused unless the bytes are
// equal.

import { encodeBase64, encodeHex, encodeText, parseBase64Hash, parseCount, parseHexHash } from './bytes.mjs';
import { LabelledLines, parseCheckpoint } from './checkpoint.mjs';
import { Refusal } from './refusal.mjs';
import {
    deriveScopeId,
    isGeneration,
    parseNumber,
    parseOrigin,
    parseScopeKey,
    parseSmall,
    parseSum,
    parseTime,
    parseUnit,
    parseUuid,
} from './words.mjs';

const TITLE = 'meed payout statement v1';
const NONE = 'none';

/** Reads a statement's text. */
export async function parseStatement(primitives, text) {
    const checkpoint = parseCheckpoint('statement', text);
    const statement = readLines(new LabelledLines(checkpoint.extension));
    const { scopeKey, epoch, revision } = statement;
    const suffix = `/${scopeKey}/epoch/${epoch}/${revision}`;
    if (!checkpoint.origin.endsWith(suffix)) {
        throw new Refusal('mismatch', 'statement origin', `a line ending in ${suffix}`, checkpoint.origin);
    }
    statement.origin = parseOrigin(checkpoint.origin.slice(0, -suffix.length));
    statement.originLine = checkpoint.origin;
    statement.root = checkpoint.root;
    statement.size = statement.allocations.count + 1n;
    checkEventsLog(statement);
    await checkScope(primitives, statement);
    if (statement.periodStartMs >= statement.periodEndMs) {
        throw new Refusal('mismatch', 'Period', `an end after ${statement.periodStart}`, statement.periodEnd);
    }
    if (writeStatement(statement) !== text) {
        throw new Refusal('not_canonical', 'statement', 'the one form of its content', 'another form');
    }
    statement.textHash = await primitives.sha256(encodeText(text));
    return statement;
}

function readLines(lines) {
    const statement = {};
    lines.title(TITLE);
    statement.node = parseUuid('node_id', lines.value('Node'));
    const [scope, scopeKey] = lines.words('Scope', ['', '']);
    const [epoch, , revision] = lines.words('Epoch', ['', 'revision', '']);
    const [periodStart, periodEnd] = lines.words('Period', ['', '']);
    const signBy = lines.value('Sign By');
    const unit = lines.value('Unit');
    const [, policyHash] = lines.words('Policy', ['weight-sum-v1', '']);
    const [eventsLog, eventsSize, eventsRoot] = lines.words('Events Log', ['', '', '']);
    statement.activity = readHead('Activity', lines.words('Activity', ['', '']));
    const [poolSize, poolTotal, poolRoot] = lines.words('Pool', ['', '', '']);
    statement.decisions = readHead('Decisions', lines.words('Decisions', ['', '']));
    const [count, setHash] = lines.words('Allocations', ['', '']);
    statement.distributed = parseSum('Distributed', lines.value('Distributed'));
    statement.undistributed = parseSum('Undistributed', lines.value('Undistributed'));
    statement.approvers = readApprovers(lines.words('Approvers', ['', 'of', '', 'version', '', '']));
    statement.previous = readHashOrNone('Previous', lines.value('Previous'));
    statement.supersedes = readHashOrNone('Supersedes', lines.value('Supersedes'));
    const [more] = lines.rest();
    if (more !== undefined) {
        throw new Refusal('malformed', 'extension lines', 'no more lines', more);
    }
    return {
        ...statement,
        scope: parseUuid('scope_id', scope),
        scopeKey: parseScopeKey(scopeKey),
        epoch: parseNumber('epoch', epoch, 1n),
        revision: parseNumber('revision', revision, 0n),
        periodStart,
        periodEnd,
        periodStartMs: parseTime(periodStart),
        periodEndMs: parseTime(periodEnd),
        signBy,
        signByMs: parseTime(signBy),
        unit: parseUnit(unit),
        policyHash: parseHexHash('Policy', policyHash),
        eventsLog,
        events: readHead('Events Log', [eventsSize, eventsRoot]),
        pool: { ...readHead('Pool', [poolSize, poolRoot]), total: parseSum('Pool', poolTotal) },
        allocations: { count: parseCount('Allocations', count), setHash: parseHexHash('Allocations', setHash) },
    };
}

function readHead(label, [size, root]) {
    return { size: parseCount(label, size), root: parseBase64Hash(label, root) };
}

function readApprovers([threshold, , members, , version, hash]) {
    return {
        threshold: parseSmall('Approvers', threshold),
        members: parseSmall('Approvers', members),
        version: parseNumber('version', version, 1n),
        textHash: parseHexHash('Approvers', hash),
    };
}

function readHashOrNone(label, text) {
    return text === NONE ? undefined : parseHexHash(label, text);
}

/** The events log is one of the node's own. */
function checkEventsLog({ origin, eventsLog }) {
    const prefix = `${origin}/events/`;
    const generation = eventsLog.startsWith(prefix) ? eventsLog.slice(prefix.length) : '';
    if (!isGeneration(generation)) {
        throw new Refusal('mismatch', 'Events Log', `${prefix}<generation from 1>`, eventsLog);
    }
}

async function checkScope(primitives, { node, scope, scopeKey }) {
    const expected = await deriveScopeId(primitives, node, scopeKey);
    if (scope !== expected) {
        throw new Refusal('mismatch', 'Scope', `${expected} ${scopeKey}`, scope);
    }
}

/** The extension lines, each with its newline: leaf 0 of the allocation tree. */
export function leafZero(statement) {
    const hashOrNone = (hash) => (hash === undefined ? NONE : encodeHex(hash));
    const head = ({ size, root }) => `${size} ${encodeBase64(root)}`;
    const { approvers, pool, unit } = statement;
    const approversSize = `${approvers.threshold} of ${approvers.members}`;
    return [
        TITLE,
        `Node: ${statement.node}`,
        `Scope: ${statement.scope} ${statement.scopeKey}`,
        `Epoch: ${statement.epoch} revision ${statement.revision}`,
        `Period: ${statement.periodStart} ${statement.periodEnd}`,
        `Sign By: ${statement.signBy}`,
        `Unit: ${unit.symbol} ${unit.decimals}`,
        `Policy: weight-sum-v1 ${encodeHex(statement.policyHash)}`,
        `Events Log: ${statement.eventsLog} ${head(statement.events)}`,
        `Activity: ${head(statement.activity)}`,
        `Pool: ${pool.size} ${pool.total} ${encodeBase64(pool.root)}`,
        `Decisions: ${head(statement.decisions)}`,
        `Allocations: ${statement.allocations.count} ${encodeHex(statement.allocations.setHash)}`,
        `Distributed: ${statement.distributed}`,
        `Undistributed: ${statement.undistributed}`,
        `Approvers: ${approversSize} version ${approvers.version} ${encodeHex(approvers.textHash)}`,
        `Previous: ${hashOrNone(statement.previous)}`,
        `Supersedes: ${hashOrNone(statement.supersedes)}`,
    ]
        .map((line) => `${line}\n`)
        .join('');
}

function writeStatement(statement) {
    const { originLine, size, root } = statement;
    return `${originLine}\n${size}\n${encodeBase64(root)}\n${leafZero(statement)}`;
}
