//! Asking for a challenge and answering it on a page, to sign in or to bind another account.

use maud::{Markup, html};
use meed_audit::sign_in::{Challenge, Signer};
use serde::Deserialize;

use super::{Page, Sorry, frame};
use crate::api::App;
use crate::api::documents::{ChallengeRequest, SignInRequest};
use crate::client::segment;

/// Where the page's script is, which asks the wallet of the browser. Without it texts and signatures are copied.
pub(super) const SCRIPT_PATH: &str = "/sign-in/wallet.js";
/// The script.
pub(super) const SCRIPT: &str = include_str!("../../web/wallet.js");

/// The forms that ask for a challenge: for a key, and for a wallet. `action` says where they go.
pub(super) fn asking(action: &str) -> Markup {
    html! {
        section id="key" {
            h2 { "With an Ed25519 key" }
            p { "For approvers, and for everybody who has a key file of " code { "meed key new" } ". It never leaves your machine." }
            form method="post" action=(action) {
                label for="key-text" { "The public key, as " code { "meed key show" } " prints it" }
                input id="key-text" name="key" required size="64" autocomplete="off" spellcheck="false"
                    placeholder="ana+1a2b3c4d+BA…";
                " " button type="submit" { "Show me what to sign" }
            }
        }
        section id="wallet" {
            h2 { "With a wallet" }
            p { "Sign-In with Ethereum: your wallet signs a text, nothing is sent to any chain and nothing is paid." }
            form method="post" action=(action) data-wallet="ask" {
                label for="wallet-address" { "The address" }
                input id="wallet-address" name="address" required size="44" autocomplete="off" spellcheck="false"
                    placeholder="0x…";
                label for="wallet-chain" { "The number of its chain" }
                input id="wallet-chain" name="chain_id" required size="8" inputmode="numeric" value="1";
                " " button type="submit" { "Show me what to sign" }
                " " button type="button" hidden data-wallet-button { "Ask the wallet of this browser" }
                p role="status" data-wallet-status {}
            }
        }
        script src=(SCRIPT_PATH) defer {}
    }
}

/// The fields of those forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskForm {
    key: Option<String>,
    address: Option<String>,
    chain_id: Option<String>,
}

impl AskForm {
    /// What they ask for. A chain that is no number is left to be missed.
    pub(super) fn into_request(self) -> ChallengeRequest {
        let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
        ChallengeRequest {
            key: trimmed(self.key),
            address: trimmed(self.address),
            chain_id: self.chain_id.and_then(|text| text.trim().parse().ok()),
        }
    }
}

/// The page that shows the text and takes its signature. `action` says where that goes.
pub(super) fn answering(title: &str, challenge: &Challenge, action: &str) -> Page {
    let text = challenge.text();
    let download = format!("data:text/plain;charset=utf-8,{}", segment(&text));
    let (wallet, hint, placeholder) = match challenge.signer {
        Signer::Key(_) => (None, KEY_HINT, "88 characters of base64"),
        Signer::Wallet(address, _) => (Some(address.to_string()), WALLET_HINT, "0x and 130 hex digits"),
    };
    let content = html! {
        p { "Read what you sign. It names this node, and holds for ten minutes and once." }
        pre id="text" class="signed" { (text) }
        @if wallet.is_none() {
            p { a href=(download) download="sign-in.txt" { "Save the text" } ", then: "
                code { "meed sign-in --text sign-in.txt --key KEYFILE" } }
        }
        p { (hint) }
        form method="post" action=(action) data-wallet=[wallet.as_ref().map(|_| "sign")] data-address=[wallet] {
            input type="hidden" name="nonce" value=(challenge.nonce);
            label for="signature" { "The signature" }
            input id="signature" name="signature" required size="88" autocomplete="off" spellcheck="false"
                placeholder=(placeholder);
            " " button type="submit" { (title) }
            " " button type="button" hidden data-wallet-button { "Ask the wallet of this browser" }
            p role="status" data-wallet-status {}
        }
        script src=(SCRIPT_PATH) defer {}
    };
    frame::page(title, &[("Overview", "/"), ("You", "/me"), (title, "")], &content)
}

const KEY_HINT: &str = "The command shows the text again before it signs, and prints the signature.";
const WALLET_HINT: &str = "Sign exactly this text as a message (personal_sign) in your wallet.";

/// The fields of the form that answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerForm {
    nonce: String,
    signature: String,
}

impl AnswerForm {
    /// The answer, with the text as the node made it.
    pub(super) fn into_request(self, app: &App) -> Result<SignInRequest, Sorry> {
        let challenge = app.sessions().open_challenge(&self.nonce, app.now()?);
        let text = challenge.map_err(crate::api::extract::Refused::from)?.text();
        Ok(SignInRequest { text, signature: self.signature.trim().to_owned() })
    }
}
