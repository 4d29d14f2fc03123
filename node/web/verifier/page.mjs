// The verifier in a web page: takes the two files, shows each link as it is checked, and says in words what was found
// and what was not. It puts texts into the page as texts only.

import { decodeText, encodeText } from './bytes.mjs';
import { openPrimitives } from './primitives.mjs';
import { PROOF_BYTES_MAX } from './proof.mjs';
import { CannotCheck, Refusal } from './refusal.mjs';
import { describeFound, makeReport } from './report.mjs';
import { parseTrust, TRUST_BYTES_MAX } from './trust.mjs';
import { verifyProof } from './verify.mjs';

const NOT_VERIFIED =
    'Do not rely on this proof: check by its fingerprint that the trust file is the right one, and fetch the proof ' +
    'again; if it still fails, show both files to an approver or auditor.';

/** Makes the part of a page with the id `verifier` work. */
export function attach(document, window) {
    if (document.getElementById('verifier') !== null) {
        new Page(document, window).start();
    }
}

class Page {
    #document;
    #window;
    /** What was chosen: `bytes` and `from`, in words. */
    #proof;
    #trust;
    /** Counts the checks, so that an older one that ends late shows nothing. */
    #run = 0;

    constructor(document, window) {
        this.#document = document;
        this.#window = window;
    }

    start() {
        const form = this.#part('form');
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#takePasted();
            this.#check();
        });
        this.#part('proof').addEventListener('change', (event) => this.#takeFiles(event.target.files, 'proof'));
        this.#part('trust').addEventListener('change', (event) => this.#takeFiles(event.target.files, 'trust'));
        this.#acceptDrops(form);
        this.#sayWhereFrom();
        this.#takeLink();
    }

    #part(name) {
        return this.#document.getElementById(`verifier-${name}`);
    }

    #isServed() {
        return /^https?:$/.test(this.#window.location.protocol);
    }

    /** A node's own page proves nothing against that node; and without WebCrypto there is nothing to check with. */
    #sayWhereFrom() {
        if (!this.#isServed()) {
            return;
        }
        const missing = this.#window.crypto?.subtle === undefined;
        const origin = this.#part('origin');
        origin.textContent = missing
            ? 'This browser gives no cryptography (crypto.subtle) to pages over plain http: nothing is checked here.'
            : `This page came from ${this.#window.location.host}. If that is the node that made the proof, what this ` +
              'page says proves nothing against that node: it could have served another. Use a verifier that you ' +
              'saved before or got from elsewhere, or the command meed verify.';
        origin.hidden = false;
        this.#part('save').hidden = false;
    }

    #acceptDrops(form) {
        const over = (event) => {
            event.preventDefault();
            form.classList.add('is-over');
        };
        form.addEventListener('dragenter', over);
        form.addEventListener('dragover', over);
        form.addEventListener('dragleave', () => form.classList.remove('is-over'));
        form.addEventListener('drop', (event) => {
            event.preventDefault();
            form.classList.remove('is-over');
            this.#takeFiles(event.dataTransfer.files);
        });
    }

    /** Takes chosen or dropped files; what a dropped one is for shows in its name. */
    async #takeFiles(files, use) {
        for (const file of Array.from(files)) {
            const isTrust = use === undefined ? /\.toml$/i.test(file.name) : use === 'trust';
            const limit = isTrust ? TRUST_BYTES_MAX : PROOF_BYTES_MAX;
            if (file.size > limit) {
                this.#refuse(`${file.name} is larger than such a file may be (${limit} bytes).`);
                return;
            }
            this.#take(isTrust, new Uint8Array(await file.arrayBuffer()), `${file.name} on this computer`);
        }
        this.#check();
    }

    #take(isTrust, bytes, from) {
        this.#part(isTrust ? 'trust-text' : 'proof-text').value = '';
        if (isTrust) {
            this.#trust = { bytes, from };
        } else {
            this.#proof = { bytes, from };
        }
    }

    /** Takes what was pasted. A proof is one line, whose newline copying may have lost. */
    #takePasted() {
        const proof = this.#part('proof-text').value;
        const trust = this.#part('trust-text').value;
        if (proof !== '') {
            this.#take(false, encodeText(proof.endsWith('\n') ? proof : `${proof}\n`), 'the text that you pasted');
        }
        if (trust !== '') {
            this.#take(true, encodeText(trust), 'the text that you pasted');
        }
    }

    /** Takes the files that a link names: /verify?proof=URL&trust=URL, both from where this page came. */
    async #takeLink() {
        const asked = new URLSearchParams(this.#window.location.search);
        if (!this.#isServed() || (!asked.has('proof') && !asked.has('trust'))) {
            return;
        }
        try {
            for (const [use, limit] of [
                ['proof', PROOF_BYTES_MAX],
                ['trust', TRUST_BYTES_MAX],
            ]) {
                if (asked.has(use)) {
                    const url = this.#ownUrl(asked.get(use));
                    this.#take(
                        use === 'trust',
                        await this.#fetch(url, limit),
                        `${url.href}, from where this page came`,
                    );
                }
            }
        } catch (error) {
            this.#refuse(`What the link names could not be fetched: ${error.message}`);
            return;
        }
        this.#check();
    }

    #ownUrl(text) {
        const url = new URL(text, this.#window.location.href);
        if (url.origin !== this.#window.location.origin) {
            throw new Error(
                `${url.href} is not on ${this.#window.location.host}; fetch it yourself and choose it here`,
            );
        }
        return url;
    }

    async #fetch(url, limit) {
        const response = await this.#window.fetch(url.href, { credentials: 'omit', redirect: 'error' });
        if (!response.ok) {
            throw new Error(`${url.pathname} answers ${response.status}`);
        }
        const reader = response.body.getReader();
        const parts = [];
        let length = 0;
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
            parts.push(part.value);
            length += part.value.length;
            if (length > limit) {
                await reader.cancel();
                throw new Error(`${url.pathname} is longer than ${limit} bytes`);
            }
        }
        return new Uint8Array(await new Blob(parts).arrayBuffer());
    }

    /** Says why nothing is checked, and shows nothing of an earlier check beside it. */
    #refuse(text) {
        this.#run += 1;
        this.#clear();
        this.#say(text, 'is-refused');
    }

    async #check() {
        this.#run += 1;
        const run = this.#run;
        this.#clear();
        if (this.#proof === undefined || this.#trust === undefined) {
            const missing = this.#proof === undefined ? 'a proof file' : 'a trust file';
            this.#say(`Nothing is checked yet: choose ${missing} as well.`);
            return;
        }
        this.#say('Checking…');
        const show = (link) => run === this.#run && this.#showLink(link);
        try {
            const report = await this.#verify(this.#proof, this.#trust, show);
            if (run === this.#run) {
                this.#showReport(report);
            }
        } catch (error) {
            if (run === this.#run) {
                this.#showError(error);
            }
        }
    }

    async #verify(proof, chosen, show) {
        const primitives = await openPrimitives(this.#window.crypto?.subtle);
        const trust = await parseTrust(primitives, decodeText('trust file', chosen.bytes));
        this.#part('used').textContent =
            `Proof: ${proof.from}. Trust file: ${chosen.from}, with the fingerprint ${trust.fingerprint} (SHA-256): ` +
            'compare it with what others have.';
        const result = await verifyProof(primitives, proof.bytes, trust, show);
        return { ...makeReport(result, trust), refusal: result.links.at(-1).refusal };
    }

    #clear() {
        for (const name of ['links', 'found', 'failed', 'limits-list', 'used']) {
            this.#part(name).replaceChildren();
        }
        for (const name of ['found', 'failed', 'limits']) {
            this.#part(name).hidden = true;
        }
    }

    #say(text, state) {
        const verdict = this.#part('verdict');
        verdict.className = state ?? '';
        verdict.textContent = text;
    }

    #showLink({ link, ok, says }) {
        const item = this.#element('li');
        const state = this.#element('span', ok ? 'ok' : 'FAILED');
        state.className = 'state';
        item.append(state, ' ', this.#element('code', link), ` ${says}`);
        this.#part('links').append(item);
    }

    #showReport(report) {
        if (report.verified) {
            const { payout, absent, statement } = report;
            const found = new Map(describeFound(report));
            const words =
                payout === undefined
                    ? `${absent} is not in epoch ${found.get('epoch')}`
                    : `${payout.claimant} gets ${found.get('payout')} in epoch ${found.get('epoch')}`;
            this.#say(`Verified: ${words} (${statement.period_start} to ${statement.period_end}).`, 'is-verified');
            this.#showPairs('found', [...found]);
            this.#part('limits').hidden = false;
            this.#part('limits-list').append(...report.cannot_say.map((limit) => this.#element('li', limit)));
        } else {
            const { link } = report.links.at(-1);
            this.#say(`Not verified: the link ${link} fails. ${NOT_VERIFIED}`, 'is-refused');
            this.#showRefusal(report.refusal);
        }
        this.#part('verdict').focus();
    }

    #showError(error) {
        if (error instanceof Refusal) {
            this.#say(
                'Not verified: the trust file is refused. It is never changed by hand: fetch it again.',
                'is-refused',
            );
            this.#showRefusal(error);
        } else if (error instanceof CannotCheck) {
            this.#say(`Nothing was checked: ${error.message}.`, 'is-refused');
            this.#part('save').hidden = !this.#isServed();
        } else {
            this.#say(`Nothing was checked: the verifier itself failed (${error.message}).`, 'is-refused');
        }
        this.#part('verdict').focus();
    }

    #showRefusal({ subject, expected, got }) {
        this.#showPairs('failed', [
            ['where', subject],
            ['expected', expected],
            ['got', got],
        ]);
    }

    #showPairs(name, pairs) {
        const list = this.#part(name);
        list.append(...pairs.flatMap(([term, text]) => [this.#element('dt', term), this.#element('dd', text)]));
        list.hidden = false;
    }

    #element(tag, text) {
        const element = this.#document.createElement(tag);
        element.textContent = text ?? '';
        return element;
    }
}

if (typeof document !== 'undefined') {
    attach(document, window);
}
