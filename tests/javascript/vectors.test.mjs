// The golden vectors of the Rust rooms, read by the JavaScript verifier: what is good is accepted with the same
// meaning, what is bad is refused. Run by tests/tests/javascript/main.rs, or by hand: node --test tests/javascript/

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { checkApproval, checkApproved, findSigner } from '../../node/web/verifier/approval.mjs';
import { parseApproverSet } from '../../node/web/verifier/approvers.mjs';
import {
    decodeBase64,
    decodeHex,
    decodeText,
    encodeBase64,
    encodeHex,
    encodeText,
} from '../../node/web/verifier/bytes.mjs';
import { parseCheckpoint } from '../../node/web/verifier/checkpoint.mjs';
import { publicKeyFault } from '../../node/web/verifier/ed25519.mjs';
import { parseKey, verifyLine, writeKey } from '../../node/web/verifier/keys.mjs';
import { parseAllocation } from '../../node/web/verifier/leaf.mjs';
import { checkInclusion, leafHash, rootOf } from '../../node/web/verifier/merkle.mjs';
import { parseNote, verifyKnown } from '../../node/web/verifier/note.mjs';
import { openPrimitives } from '../../node/web/verifier/primitives.mjs';
import { CannotCheck, Refusal } from '../../node/web/verifier/refusal.mjs';
import { writeAmount } from '../../node/web/verifier/report.mjs';
import { leafZero, parseStatement } from '../../node/web/verifier/statement.mjs';
import { parseTlogProof } from '../../node/web/verifier/tlog_proof.mjs';
import { parseToml } from '../../node/web/verifier/toml.mjs';
import { deriveScopeId } from '../../node/web/verifier/words.mjs';

const primitives = await openPrimitives(webcrypto.subtle);
const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const refused = (name, check) => assert.rejects(async () => check(), Refusal, name);
const parseAnyKey = async (text) => {
    try {
        return await parseKey(primitives, 'key', text, 1);
    } catch {
        return parseKey(primitives, 'key', text, 4);
    }
};

test('keys are read as their makers wrote them', async () => {
    for (const { vkey, type, name, key_id_hex: id } of read('keys/tests/vectors/keys.json')) {
        const key = await parseAnyKey(vkey);
        assert.deepEqual([key.type, key.name, key.id, writeKey(key)], [type, name, id, vkey]);
    }
});

test('bad verifier keys are refused', async () => {
    for (const { defect, vkey } of read('keys/tests/vectors/bad_verifier_keys.json')) {
        await refused(defect, () => parseAnyKey(vkey));
    }
});

test('bad signature lines and notes are refused', async () => {
    for (const { defect, line } of read('keys/tests/vectors/bad_signature_lines.json')) {
        await refused(defect, () => parseNote('note', `text\n\n${line}\n`));
    }
    for (const { defect, note_b64: note } of read('keys/tests/vectors/bad_notes.json')) {
        await refused(defect, () => parseNote('note', decodeText('note', decodeBase64('note', note))));
    }
});

test('bad signatures are refused', async () => {
    for (const { defect, vkey, text, line } of read('keys/tests/vectors/bad_signatures.json')) {
        const key = await parseAnyKey(vkey);
        const { lines } = parseNote('note', `${text}\n${line}\n`);
        await refused(defect, () => verifyLine(primitives, key, text, lines[0]));
    }
});

test('what WebCrypto might take is refused before it is asked', async () => {
    const credulous = { ...primitives, verifyEd25519: async () => true };
    const odd = /^(scalar|R of small order|R not canonical|all zero)/;
    const cases = read('keys/tests/vectors/bad_signatures.json').filter(({ defect }) => odd.test(defect));
    assert.ok(cases.length >= 5, `${cases.length} cases`);
    for (const { defect, vkey, text, line } of cases) {
        const key = await parseAnyKey(vkey);
        const { lines } = parseNote('note', `${text}\n${line}\n`);
        await refused(defect, () => verifyLine(credulous, key, text, lines[0]));
    }
});

test('notes are opened where Go opens them', async () => {
    const { cases, known_vkey: known } = read('keys/tests/vectors/note_open_cases.json');
    const key = await parseAnyKey(known);
    let accepted = 0;
    for (const { desc, go_accepts: go, note_b64: encoded, verified } of cases) {
        const open = async () => {
            const note = parseNote('note', decodeText('note', decodeBase64('note', encoded)));
            return (await verifyKnown(primitives, 'note', note, [key])).length;
        };
        // Go reads some notes that this project is stricter about; it never is the other way round.
        const count = await open().catch((error) => (error instanceof Refusal ? 0 : Promise.reject(error)));
        assert.ok(count === 0 || (go && count === verified), desc);
        accepted += count;
    }
    assert.ok(accepted > 3, `${accepted} accepted`);
});

/** An approver set with these lines, whose root is that of its one version. */
async function setOf(lines) {
    const node = '4ff8eac1-4eba-4ed0-931b-b1fe4f64713d';
    const scope = await deriveScopeId(primitives, node, 'default');
    const root = encodeBase64(new Uint8Array(32));
    const head = ['o/default/approvers', '1', root, 'meed approver set v1', `Node: ${node}`, `Scope: ${scope} default`];
    return parseApproverSet(primitives, [...head, ...lines].map((line) => `${line}\n`).join(''));
}

test('bad approver sets are refused', async () => {
    for (const { defect, lines } of read('keys/tests/vectors/bad_approver_sets.json')) {
        await refused(defect, () => setOf(lines));
    }
});

test('quorums are as the vectors say', async () => {
    const good = read('keys/tests/vectors/good_quorums.json');
    const bad = read('keys/tests/vectors/bad_quorums.json');
    for (const { name, set: lines, text, signatures, after_ms: after, until_ms: until, approvals } of [
        ...good,
        ...bad,
    ]) {
        const set = await setOf(lines);
        const statement = {
            ...{ node: set.node, scope: set.scope, origin: set.origin },
            ...{ periodStartMs: BigInt(after), signByMs: BigInt(until) },
            approvers: { version: 1n, textHash: set.textHash, threshold: set.threshold, members: set.members.length },
        };
        const check = async () => {
            const note =
                signatures.length > 0 ? parseNote('note', `${text}\n${signatures.join('\n')}\n`) : { lines: [] };
            return checkApproved(primitives, statement, set, text, note.lines);
        };
        if (approvals === null || approvals === undefined) {
            await refused(name, check);
        } else {
            assert.equal((await check()).length, approvals, name);
        }
    }
});

test('a line of nobody is no approval', async () => {
    await refused('nobody', () => checkApproval(primitives, undefined, 'text\n', { name: 'mallory', id: '00000000' }));
    assert.equal(findSigner({ members: [] }, { name: 'mallory', id: '00000000' }), undefined);
});

test('trees have the roots that Go computes', async () => {
    const { roots } = read('audit/tests/vectors/tlog/rfc6962_roots.json');
    const hashes = [];
    for (let index = 0; index < 300; index += 1) {
        hashes.push(await leafHash(primitives, encodeText(`leaf-${index}`)));
    }
    for (const { size, root_hex: root } of roots.filter(({ size }) => size <= hashes.length)) {
        assert.equal(encodeHex(await rootOf(primitives, hashes.slice(0, size))), root, `size ${size}`);
    }
});

test('foreign tlog-proofs show their leaf, and no other', async () => {
    for (const { leaf, index, size, tlog_proof: text } of read('audit/tests/vectors/tlog/tlog_proofs.json')) {
        const proof = parseTlogProof('proof', text);
        const checkpoint = parseCheckpoint('checkpoint', parseNote('note', proof.note).text);
        assert.deepEqual([proof.index, checkpoint.size], [BigInt(index), BigInt(size)]);
        const check = async (data, place) => {
            const hash = await leafHash(primitives, encodeText(data));
            await checkInclusion(primitives, 'leaf', hash, place, checkpoint.size, proof.path, checkpoint.root);
        };
        await check(leaf, proof.index);
        await refused('another leaf', () => check(`${leaf}x`, proof.index));
        await refused('an index beyond', () => check(leaf, checkpoint.size));
    }
});

test('a path of another length than index and size demand is refused, whatever the root', async () => {
    const [left, right] = [await leafHash(primitives, encodeText('a')), await leafHash(primitives, encodeText('b'))];
    const root = await rootOf(primitives, [left, right]);
    await checkInclusion(primitives, 'leaf', left, 0n, 2n, [right], root);
    await refused('too short', () => checkInclusion(primitives, 'leaf', left, 0n, 2n, [], left));
    await refused('too long', () => checkInclusion(primitives, 'leaf', left, 0n, 1n, [right], root));
});

test('checkpoints are read where their own makers read them', async () => {
    for (const { desc, text, formats_accepts: formats, torchwood_accepts: torchwood } of read(
        'audit/tests/vectors/tlog/checkpoint_body_cases.json',
    )) {
        let accepts = true;
        try {
            parseCheckpoint('checkpoint', text);
        } catch (error) {
            assert.ok(error instanceof Refusal, desc);
            accepts = false;
        }
        assert.ok(!accepts || (formats && torchwood), desc);
    }
});

test('the examples of the specification are read', async () => {
    const examples = read('audit/tests/vectors/spec_examples.json');
    const names = Object.keys(examples);
    const notes = names.filter((name) => /statement/.test(name) && String(examples[name]).includes('\n\n\u2014 '));
    assert.ok(notes.length > 0, names.join('; '));
    for (const name of notes) {
        const note = parseNote(name, examples[name]);
        const statement = await parseStatement(primitives, note.text);
        assert.ok(note.text.endsWith(leafZero(statement)));
    }
    const leaves = names.filter((name) => /^allocation \d+ leaf$/.test(name));
    assert.equal(leaves.length, 3);
    for (const name of leaves) {
        const bytes = encodeText(examples[name]);
        assert.equal(parseAllocation(bytes).get('v'), 'meed/allocation/v1');
        assert.equal(encodeHex(await leafHash(primitives, bytes)), examples[`${name} hash`]);
    }
});

test('of the points of small order and their second spellings none is a key', () => {
    const orders = [
        '0100000000000000000000000000000000000000000000000000000000000000',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        '0000000000000000000000000000000000000000000000000000000000000000',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    ];
    for (const order of orders) {
        const bytes = decodeHex(order);
        for (const sign of [0x00, 0x80]) {
            bytes[31] = (bytes[31] & 0x7f) | sign;
            assert.equal(publicKeyFault(bytes), 'a point of small order', order);
        }
    }
    const key = decodeHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    assert.equal(publicKeyFault(key), undefined);
    assert.equal(publicKeyFault(decodeHex(`02${'00'.repeat(31)}`)), 'no point of the curve');
    assert.equal(publicKeyFault(decodeHex(`ed${'ff'.repeat(30)}7f`)), 'a number that is not reduced');
    assert.equal(publicKeyFault(key.subarray(1)), '31 bytes instead of 32');
});

test('where a primitive is missing or lies, nothing is checked', async () => {
    const { subtle } = webcrypto;
    const bound = { digest: subtle.digest.bind(subtle), importKey: subtle.importKey.bind(subtle) };
    const missing = () => Promise.reject(new DOMException('no Ed25519', 'NotSupportedError'));
    for (const broken of [
        undefined,
        {},
        { ...bound, importKey: missing },
        { ...bound, verify: async () => true },
        { ...bound, verify: async () => false },
        { ...bound, verify: async () => 1 },
        { ...bound, digest: async () => new ArrayBuffer(32), verify: subtle.verify.bind(subtle) },
        { ...bound, digest: missing, verify: subtle.verify.bind(subtle) },
    ]) {
        await assert.rejects(() => openPrimitives(broken), CannotCheck);
    }
    await openPrimitives({ ...bound, verify: subtle.verify.bind(subtle) });
});

test('all of TOML that a trust file is written in is read, and nothing else', async () => {
    const file = parseToml(
        'file',
        '# a comment\r\na = "1" # more\n\n' +
            `b-2 = '''\n'x' "y"\\'''\nc = ["\\u00e9\\n", 'd',\n # inside\n]\n` +
            '[[e]]\nf = """a \\\n  b"""""\n [[ e ]]\n',
    );
    assert.deepEqual(
        [...file].map(([key, value]) => [
            key,
            Array.isArray(value) ? value.map((it) => (it instanceof Map ? [...it] : it)) : value,
        ]),
        [
            ['a', '1'],
            ['b-2', `'x' "y"\\`],
            ['c', ['\u00e9\n', 'd']],
            ['e', [[['f', 'a b""']], []]],
        ],
    );
    for (const bad of [
        ...['a', 'a =', 'a = 1', 'a = true', 'a = {}', '= "x"', '"a" = "x"', 'a.b = "x"', '[a]', '[[a]', 'a = "x" "y"'],
        ...[
            'a = "x',
            'a = "x\ny"',
            "a = 'x",
            'a = """x',
            'a = "\\x"',
            'a = "\\ud800"',
            'a = "\\U00110000"',
            'a = ["x" "y"]',
        ],
        ...[
            'a = [,]',
            'a = ["x",,]',
            'a = [["x"]]',
            'a = "x"\na = "y"',
            'a = "x"\n[[a]]',
            'a = []\n[[a]]',
            'a = ["x"',
            'a = "\0"',
        ],
        ...['a = "x\r"', '# \u007f', '\ufeff\ufeffa = "x"', 'a = "\\\n x"', 'a = """x""""""'],
    ]) {
        await refused(JSON.stringify(bad), () => parseToml('file', bad));
    }
});

test('amounts are written with the decimals of their unit', () => {
    assert.deepEqual(
        [writeAmount('0', 0), writeAmount('5', 2), writeAmount('1234567', 6), writeAmount('1500', 3)],
        ['0', '0.05', '1.234567', '1.500'],
    );
});
