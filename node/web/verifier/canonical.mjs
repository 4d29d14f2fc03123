// Canonical JSON (RFC 8785) of objects, arrays and strings: read, written again, and refused unless the bytes are equal
// (audit/SPEC.md, 1.4). The comparison catches all that JSON.parse lets through or loses: white space, order, escapes,
// fields that stand twice.

import { decodeText, encodeText, equalBytes } from './bytes.mjs';
import { Refusal } from './refusal.mjs';

/** The canonical text of strings, arrays of them, and objects of both. */
export function writeCanonical(value) {
    if (typeof value === 'string') {
        return writeString(value);
    }
    if (Array.isArray(value)) {
        return `[${value.map(writeCanonical).join(',')}]`;
    }
    const fields = Object.keys(value).sort();
    return `{${fields.map((name) => `${writeString(name)}:${writeCanonical(value[name])}`).join(',')}}`;
}

/** A string; half a surrogate pair, which JSON can name and UTF-8 cannot write, is refused. */
function writeString(text) {
    if (/\p{Surrogate}/u.test(text)) {
        throw new Refusal('malformed', 'text', 'whole characters', 'half a surrogate pair');
    }
    return JSON.stringify(text);
}

/**
 * Reads an object with `fields`: from each name to `{ read, optional }`, where `read(value)` gives what the field means
 * and refuses what it may not hold. The result is a Map.
 */
export function readCanonical(subject, bytes, fields) {
    const value = parseObject(subject, bytes);
    const unknown = Object.keys(value).find((name) => !fields.has(name));
    if (unknown !== undefined) {
        throw new Refusal('malformed', subject, 'the fields of the format', `unknown field ${unknown}`);
    }
    const result = new Map();
    for (const [name, { read, optional }] of fields) {
        if (Object.hasOwn(value, name)) {
            result.set(name, read(value[name]));
        } else if (!optional) {
            throw new Refusal('malformed', subject, 'the fields of the format', `missing field ${name}`);
        }
    }
    if (!equalBytes(encodeText(writeCanonical(value)), bytes)) {
        throw new Refusal('not_canonical', subject, 'RFC 8785 JSON', 'another form');
    }
    return result;
}

/** Any JSON object. */
export function parseObject(subject, bytes) {
    const text = decodeText(subject, bytes);
    let value;
    try {
        value = JSON.parse(text);
    } catch {
        throw new Refusal('malformed', subject, 'a JSON object', 'other text');
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        throw new Refusal('malformed', subject, 'a JSON object', 'another value');
    }
    return value;
}

/** The string that a field holds. */
export function stringOf(subject, value) {
    if (typeof value !== 'string') {
        throw new Refusal('malformed', subject, 'a string', 'another type');
    }
    return value;
}

/** The strings that a field holds. */
export function stringsOf(subject, value) {
    if (!Array.isArray(value)) {
        throw new Refusal('malformed', subject, 'an array of strings', 'another type');
    }
    return value.map((item) => stringOf(subject, item));
}
