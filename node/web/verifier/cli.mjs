#!/usr/bin/env node
// The verifier on the command line: node cli.mjs PROOF --trust TRUST [--json]
//
// Exit codes are those of `meed verify`: 0 verified, 1 not verified (or nothing could be checked), 2 wrong usage.

import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';

import { decodeText } from './bytes.mjs';
import { openPrimitives } from './primitives.mjs';
import { PROOF_BYTES_MAX } from './proof.mjs';
import { CannotCheck, Refusal } from './refusal.mjs';
import { describeFound, makeReport } from './report.mjs';
import { parseTrust, TRUST_BYTES_MAX } from './trust.mjs';
import { verifyProof } from './verify.mjs';

const USAGE = 'usage: node cli.mjs PROOF --trust TRUST [--json]';

/** A command line, or a file that it names, that cannot be used. */
class Usage extends Error {}

function parseArguments(words) {
    const asked = { json: false };
    const rest = [...words];
    while (rest.length > 0) {
        const word = rest.shift();
        if (word === '--json') {
            asked.json = true;
        } else if (word === '--trust' && asked.trust === undefined && rest.length > 0) {
            asked.trust = rest.shift();
        } else if (!word.startsWith('--') && asked.proof === undefined) {
            asked.proof = word;
        } else {
            throw new Usage(`unexpected ${word}`);
        }
    }
    if (asked.proof === undefined || asked.trust === undefined) {
        throw new Usage('expected a proof file and a trust file');
    }
    return asked;
}

function readFile(path, bytesMax) {
    let bytes;
    try {
        bytes = readFileSync(path);
    } catch (error) {
        throw new Usage(`cannot read ${path}: ${error.code}`);
    }
    if (bytes.length > bytesMax) {
        throw new Usage(`expected at most ${bytesMax} bytes in ${path}, got ${bytes.length}`);
    }
    return new Uint8Array(bytes);
}

function readText(path, bytesMax) {
    try {
        return decodeText(path, readFile(path, bytesMax));
    } catch (error) {
        throw error instanceof Refusal ? new Usage(error.message) : error;
    }
}

function describe(report) {
    const links = report.links.map(({ link, ok, says }) => `${ok ? 'ok    ' : 'FAILED'}  ${link.padEnd(14)}  ${says}`);
    const trust = `trust file      ${report.trust_fingerprint}`;
    if (!report.verified) {
        return [...links, trust, 'not verified'];
    }
    const limits = ['this cannot say, offline:', ...report.cannot_say.map((limit) => `  - ${limit}`)];
    const found = describeFound(report).map(([name, text]) => `${name.padEnd(14)}  ${text}`);
    return [...links, trust, ...limits, ...found, 'verified'];
}

async function run(words) {
    const asked = parseArguments(words);
    const [proof, trustText] = [readFile(asked.proof, PROOF_BYTES_MAX), readText(asked.trust, TRUST_BYTES_MAX)];
    const primitives = await openPrimitives(webcrypto.subtle);
    const trust = await parseTrust(primitives, trustText);
    const report = makeReport(await verifyProof(primitives, proof, trust), trust);
    process.stdout.write(`${asked.json ? JSON.stringify(report) : describe(report).join('\n')}\n`);
    return report.verified ? 0 : 1;
}

async function main() {
    try {
        return await run(process.argv.slice(2));
    } catch (error) {
        if (error instanceof Usage) {
            process.stderr.write(`${error.message}\n${USAGE}\n`);
            return 2;
        }
        if (error instanceof Refusal || error instanceof CannotCheck) {
            const what = error instanceof Refusal ? 'not verified' : 'nothing was checked';
            process.stderr.write(`${what}: ${error.message}\n`);
            return 1;
        }
        throw error;
    }
}

process.exitCode = await main();
