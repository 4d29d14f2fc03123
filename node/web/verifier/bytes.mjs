// Bytes and their texts: UTF-8, hex, base64 and decimals, each with one spelling (audit/SPEC.md, chapter 1).

import { Refusal } from './refusal.mjs';

const ENCODER = new TextEncoder();
const BASE64_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The largest count: 2^64 - 1. */
export const COUNT_MAX = 2n ** 64n - 1n;
/** The largest sum of amounts: 2^128 - 1. */
export const SUM_MAX = 2n ** 128n - 1n;
/** Bytes of a SHA-256 value. */
export const HASH_BYTES = 32;

/** The UTF-8 bytes of a text. */
export function encodeText(text) {
    return ENCODER.encode(text);
}

/** How many bytes a text has in UTF-8. */
export function byteLength(text) {
    return ENCODER.encode(text).length;
}

/** The text of UTF-8 bytes, byte order mark and all; other bytes are refused. */
export function decodeText(subject, bytes) {
    try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        throw new Refusal('not_utf8', subject, 'UTF-8', 'other bytes');
    }
}

/** Whether two runs of bytes are equal. */
export function equalBytes(left, right) {
    return left.length === right.length && left.every((byte, position) => byte === right[position]);
}

/** Runs of bytes, one after the other. */
export function concatBytes(...parts) {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let position = 0;
    for (const part of parts) {
        whole.set(part, position);
        position += part.length;
    }
    return whole;
}

/** Lower-case hex. */
export function encodeHex(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of hex digits that were checked before. */
export function decodeHex(digits) {
    return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
        parseInt(digits.slice(2 * index, 2 * index + 2), 16),
    );
}

/** A hash in hex: 64 lower-case digits. */
export function parseHexHash(subject, text) {
    if (!/^[0-9a-f]{64}$/.test(text)) {
        throw new Refusal('malformed', subject, '64 lower-case hex digits', text);
    }
    return decodeHex(text);
}

/** Standard base64 with padding. */
export function encodeBase64(bytes) {
    let text = '';
    for (let position = 0; position < bytes.length; position += 3) {
        const left = Math.min(bytes.length - position, 3);
        const group = (bytes[position] << 16) | ((bytes[position + 1] ?? 0) << 8) | (bytes[position + 2] ?? 0);
        for (let digit = 0; digit < 4; digit += 1) {
            text += digit <= left ? BASE64_DIGITS[(group >> (18 - 6 * digit)) & 63] : '=';
        }
    }
    return text;
}

/** Reads standard base64 with padding, and only the text that `encodeBase64` would have written. */
export function decodeBase64(subject, text) {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    const digits = text.slice(0, text.length - padding);
    const bytes = new Uint8Array(Math.floor((digits.length * 6) / 8));
    let bits = 0;
    let width = 0;
    let position = 0;
    for (const digit of digits) {
        const value = BASE64_DIGITS.indexOf(digit);
        if (value < 0) {
            throw new Refusal('malformed', subject, 'canonical padded base64', text);
        }
        bits = ((bits << 6) | value) & 0xfff;
        width += 6;
        if (width >= 8) {
            width -= 8;
            bytes[position] = (bits >> width) & 0xff;
            position += 1;
        }
    }
    // This refuses missing padding and trailing bits that are not zero.
    if (encodeBase64(bytes) !== text) {
        throw new Refusal('malformed', subject, 'canonical padded base64', text);
    }
    return bytes;
}

/** A hash in base64. */
export function parseBase64Hash(subject, text) {
    const bytes = decodeBase64(subject, text);
    if (bytes.length !== HASH_BYTES) {
        throw new Refusal('malformed', subject, `the base64 of ${HASH_BYTES} bytes`, `${bytes.length} bytes`);
    }
    return bytes;
}

/** A decimal from 0 to `max`: ASCII digits, no sign, no leading zero. */
export function parseDecimal(subject, text, max) {
    if (!/^(?:0|[1-9][0-9]*)$/.test(text)) {
        throw new Refusal('invalid_number', subject, 'a whole number in decimal without sign or leading zero', text);
    }
    // A number of that many digits is too large whatever they are, and turning a megabyte of them around takes long.
    if (text.length > 39 || BigInt(text) > max) {
        throw new Refusal('number_too_large', subject, `at most ${max}`, text);
    }
    return BigInt(text);
}

/** A count: a decimal that fits 64 bits. */
export function parseCount(subject, text) {
    return parseDecimal(subject, text, COUNT_MAX);
}
