// Why a file is not believed: what was looked at, what was expected there, and what came. The names of the reasons are
// those of audit/SPEC.md, chapter 24.

/** Most characters of a refused value that a message repeats. */
const GOT_CHARACTERS_MAX = 200;

const HIDDEN =
    /[\u{AD}\u{61C}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{180B}-\u{180F}\u{200B}-\u{200F}\u{2028}-\u{202E}\u{2060}-\u{206F}\u{3164}\u{FEFF}\u{FFA0}\u{FFF0}-\u{FFFB}\u{E0000}-\u{E0FFF}]/u;

/** Whether a text holds characters that do not show, or make it look like another (audit/SPEC.md, 1.7). */
export function isDeceptive(text) {
    return HIDDEN.test(text) || Array.from(text).some((character) => (character.codePointAt(0) & 0xfffe) === 0xfffe);
}

/** A refusal. It means that the file is not what it should be: it does not verify. */
export class Refusal extends Error {
    constructor(code, subject, expected, got) {
        const shown = printable(String(got));
        super(`${code}: ${subject}: expected ${expected}, got ${shown}`);
        this.name = 'Refusal';
        this.code = code;
        this.subject = subject;
        this.expected = expected;
        this.got = shown;
    }

    /** The same refusal, with its subject placed inside `outer`. */
    within(outer) {
        return new Refusal(this.code, `${outer}: ${this.subject}`, this.expected, this.got);
    }
}

/** This browser or program lacks what checking needs. It says nothing about the file, and is never a yes. */
export class CannotCheck extends Error {
    constructor(what) {
        super(what);
        this.name = 'CannotCheck';
    }
}

/** Runs `read`, and places what it refuses inside `outer`. */
export async function inside(outer, read) {
    try {
        return await read();
    } catch (error) {
        throw error instanceof Refusal ? error.within(outer) : error;
    }
}

/** One line of bounded length, without characters that steer a terminal or turn a text around. */
function printable(text) {
    const characters = Array.from(text.slice(0, 4 * GOT_CHARACTERS_MAX));
    const shown = characters
        .slice(0, GOT_CHARACTERS_MAX)
        .map((character) =>
            /\p{C}/u.test(character) || isDeceptive(character)
                ? `\\u{${character.codePointAt(0).toString(16)}}`
                : character,
        );
    if (characters.length > GOT_CHARACTERS_MAX) {
        shown.push('…');
    }
    return shown.length > 0 ? shown.join('') : 'an empty text';
}
