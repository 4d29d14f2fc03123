// The part of TOML 1.0 in which trust files are written: comments, empty lines, `key = value` with bare keys, and
// `[[key]]`; a value is a string in any of TOML's four forms, or an array of strings. What is none of these is refused:
// a file that needs more of TOML was not written by meed.

import { Refusal } from './refusal.mjs';

/** What TOML forbids in strings and comments: controls but tab and newline, a carriage return without a newline. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/;
const ESCAPES = new Map([
    ['b', '\b'],
    ['t', '\t'],
    ['n', '\n'],
    ['f', '\f'],
    ['r', '\r'],
    ['"', '"'],
    ['\\', '\\'],
]);

/**
 * Reads a file: a Map from key to a string, an array of strings, or (where the file has `[[key]]`) an array of Maps.
 */
export function parseToml(subject, text) {
    return new Reader(subject, text).file();
}

class Reader {
    #subject;
    #text;
    #place = 0;

    constructor(subject, text) {
        this.#subject = subject;
        // A byte order mark at the beginning means nothing.
        this.#text = text.replace(/^\ufeff/, '');
        if (FORBIDDEN.test(this.#text)) {
            throw this.#refuse('text without control characters');
        }
    }

    file() {
        const file = new Map();
        let table = file;
        for (this.#skipLines(); this.#place < this.#text.length; this.#skipLines()) {
            if (this.#take('[[')) {
                table = this.#table(file);
            } else {
                this.#field(table);
            }
            this.#endLine();
        }
        return file;
    }

    #table(file) {
        this.#skipSpace();
        const name = this.#key();
        this.#skipSpace();
        if (!this.#take(']]')) {
            throw this.#refuse(']]');
        }
        const tables = file.get(name) ?? [];
        // An array that is written as a value cannot be continued.
        if (
            !Array.isArray(tables) ||
            tables.some((item) => !(item instanceof Map)) ||
            (file.has(name) && tables.length === 0)
        ) {
            throw this.#refuse('a key that stands once');
        }
        const table = new Map();
        file.set(name, [...tables, table]);
        return table;
    }

    #field(table) {
        const name = this.#key();
        this.#skipSpace();
        if (table.has(name) || !this.#take('=')) {
            throw this.#refuse('a key that stands once, and =');
        }
        this.#skipSpace();
        table.set(name, this.#take('[') ? this.#strings() : this.#string());
    }

    #key() {
        const key = /^[A-Za-z0-9_-]+/.exec(this.#text.slice(this.#place, this.#place + 64))?.[0];
        if (key === undefined) {
            throw this.#refuse('a bare key');
        }
        this.#place += key.length;
        return key;
    }

    /** What stands in an array, after its bracket. */
    #strings() {
        const strings = [];
        for (;;) {
            this.#skipLines();
            if (this.#take(']')) {
                return strings;
            }
            strings.push(this.#string());
            this.#skipLines();
            if (!this.#take(',') && this.#text[this.#place] !== ']') {
                throw this.#refuse(', or ]');
            }
        }
    }

    #string() {
        for (const quote of ['"""', "'''", '"', "'"]) {
            if (this.#take(quote)) {
                return this.#quoted(quote);
            }
        }
        throw this.#refuse('a string');
    }

    /** What stands after an opening quote, up to its closing one. */
    #quoted(quote) {
        const isLong = quote.length === 3;
        if (isLong) {
            // A newline right after the quote is not part of the string.
            this.#takeNewline();
        }
        const parts = [];
        while (!this.#take(quote)) {
            const character = this.#text[this.#place];
            if (character === undefined || (/[\r\n]/.test(character) && !isLong)) {
                throw this.#refuse(`the closing ${quote}`);
            }
            this.#place += 1;
            parts.push(character === '\\' && quote[0] === '"' ? this.#escaped(isLong) : character);
        }
        // Up to two quotes may stand right before the closing ones.
        for (let more = 0; isLong && more < 2 && this.#take(quote[0]); more += 1) {
            parts.push(quote[0]);
        }
        return parts.join('');
    }

    /** What a backslash and the characters after it stand for. */
    #escaped(isLong) {
        const rest = this.#text.slice(this.#place, this.#place + 9);
        const code = /^(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/.exec(rest);
        if (code !== null) {
            const point = parseInt(code[1] ?? code[2], 16);
            if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
                throw this.#refuse('a Unicode scalar value');
            }
            this.#place += code[0].length;
            return String.fromCodePoint(point);
        }
        const character = ESCAPES.get(rest[0]);
        if (character !== undefined) {
            this.#place += 1;
            return character;
        }
        // At the end of a line it takes away all white space up to the next other character.
        this.#skipSpace();
        if (!isLong || !this.#takeNewline()) {
            throw this.#refuse('an escape of TOML');
        }
        while (/[ \t\r\n]/.test(this.#text[this.#place] ?? '')) {
            this.#place += 1;
        }
        return '';
    }

    /** Nothing but a comment stands on the rest of a line. */
    #endLine() {
        this.#skipSpace();
        this.#skipComment();
        if (this.#place < this.#text.length && !this.#takeNewline()) {
            throw this.#refuse('the end of the line');
        }
    }

    /** Skips white space, comments and newlines. */
    #skipLines() {
        do {
            this.#skipSpace();
            this.#skipComment();
        } while (this.#takeNewline());
    }

    #skipSpace() {
        while (this.#text[this.#place] === ' ' || this.#text[this.#place] === '\t') {
            this.#place += 1;
        }
    }

    #skipComment() {
        if (this.#text[this.#place] === '#') {
            this.#place += /^[^\r\n]*/.exec(this.#text.slice(this.#place))[0].length;
        }
    }

    #takeNewline() {
        return this.#take('\n') || this.#take('\r\n');
    }

    #take(wanted) {
        const isThere = this.#text.startsWith(wanted, this.#place);
        this.#place += isThere ? wanted.length : 0;
        return isThere;
    }

    #refuse(expected) {
        const line = this.#text.slice(0, this.#place).split('\n').length;
        const got = this.#text.slice(this.#place, this.#place + 40).split('\n')[0];
        return new Refusal('malformed', `${this.#subject} line ${line}`, expected, got || 'the end of the line');
    }
}
