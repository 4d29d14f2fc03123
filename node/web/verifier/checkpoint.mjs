// Checkpoints (C2SP tlog-checkpoint; audit/SPEC.md, 17.2): origin, size, root, and extension lines; and the labelled
// extension lines of meed's own texts.

import { byteLength, encodeHex, parseBase64Hash, parseDecimal } from './bytes.mjs';
import { Refusal } from './refusal.mjs';

const CHECKPOINT_BYTES_MAX = 65_535;
/** The most leaves of a tree: 2^63 - 1. */
export const TREE_SIZE_MAX = 2n ** 63n - 1n;
const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Reads a checkpoint's text: `origin`, `size`, `root` (bytes) and `extension` (lines). */
export function parseCheckpoint(subject, text) {
    const refuse = (expected, got) => new Refusal('malformed', subject, expected, got);
    const lines = text.slice(0, -1).split('\n');
    if (byteLength(text) > CHECKPOINT_BYTES_MAX || !text.endsWith('\n') || lines.length < 3) {
        throw refuse('the lines of a checkpoint: origin, size, root', `${lines.length} lines`);
    }
    const [origin, sizeText, rootText, ...extension] = lines;
    if (origin === '' || extension.includes('') || /[\0-\x09\x0b-\x1f]/.test(text)) {
        throw refuse('lines that are not empty and without control characters', 'another line');
    }
    let size;
    try {
        size = parseDecimal(subject, sizeText, TREE_SIZE_MAX);
    } catch (error) {
        throw refuse(`a size that is ${error.expected}`, sizeText);
    }
    const root = parseBase64Hash(subject, rootText);
    if (size === 0n && encodeHex(root) !== EMPTY_ROOT) {
        throw refuse('the root of no leaves at size 0', rootText);
    }
    return { origin, size, root, extension };
}

/** The extension lines of one of meed's texts, taken in their fixed order. */
export class LabelledLines {
    #lines;

    constructor(lines) {
        this.#lines = [...lines];
    }

    /** The next line, which has to be `title`. */
    title(title) {
        const line = this.#next(title);
        if (line !== title) {
            throw new Refusal('malformed', 'first extension line', title, line);
        }
    }

    /** What stands on the next line after its label. */
    value(label) {
        const line = this.#next(label);
        if (!line.startsWith(`${label}: `)) {
            throw new Refusal('malformed', label, `a line beginning with ${label}:`, line);
        }
        return line.slice(label.length + 2);
    }

    /** The words on the next line after its label; those of `form` that are not '' have to stand there. */
    words(label, form) {
        const value = this.value(label);
        const words = value.split(' ');
        if (words.length !== form.length || form.some((word, place) => word !== '' && word !== words[place])) {
            throw new Refusal('malformed', label, `${form.length} words as in the specification`, value);
        }
        return words;
    }

    /** All lines that are left. */
    rest() {
        return this.#lines.splice(0);
    }

    #next(label) {
        if (this.#lines.length === 0) {
            throw new Refusal('malformed', label, `the line ${label}`, 'no more lines');
        }
        return this.#lines.shift();
    }
}
