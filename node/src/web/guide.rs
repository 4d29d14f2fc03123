//! How each of the people around a ledger begins.

use maud::html;

use super::{Answer, frame};

pub(super) async fn page() -> Answer {
    let content = html! {
        nav aria-label="On this page" { ul {
            li { a href="#contributor" { "I was paid, and want to check it" } }
            li { a href="#approver" { "I approve what is paid" } }
            li { a href="#operator" { "I run a ledger" } }
        } }
        section id="contributor" {
            h2 { "I was paid, and want to check it" }
            form class="line" method="get" action="/claimants" {
                div { label for="claimant" { "The key under which you earn" }
                    input id="claimant" name="claimant" required placeholder="identity:github:1234" size="48"; }
                button type="submit" { "Show my payouts" }
            }
            p { "To say which accounts are yours, " a href="/sign-in" { "sign in" } " with a key or a wallet." }
            p { "For work that was collected from git, your key is made from your e-mail address: "
                code { "git config user.email | meed whoami --git-email - --trust TRUST" } " prints it." }
            ol {
                li { "Open your page and download the proof of a payout." }
                li { "Get the trust file of the scope, best from somebody who is not the operator." }
                li { "Check it: " a href="/verify" { "here in the browser" } ", or without any server with "
                    code { "meed verify PROOF --trust TRUST" } "." }
            }
        }
        section id="approver" {
            h2 { "I approve what is paid" }
            ol {
                li { "Make a key on your own machine: " code { "meed key new ana.example.org --out ana.key" }
                    ". It prints a line: that is public, and the operator needs it." }
                li { "When a draft is frozen, download its dossier from the epoch's page." }
                li { "Run " code { "meed sign DOSSIER --key ana.key > ana.sig" }
                    ". It recomputes everything, shows who gets what and what changed, and asks." }
                li { "Send the line back to the operator, or add it yourself: "
                    code { "meed --node ADDRESS signature add --scope KEY --epoch N ana.sig" } ". It needs no token." }
            }
            p { "Your key never leaves your machine, and what it has signed is kept beside it." }
        }
        section id="operator" {
            h2 { "I run a ledger" }
            ol {
                li { code { "meed init --origin ledger.example.org" } " makes the ledger and a commented " code { "meed.toml" } "." }
                li { code { "meed scope add default --base-issuance 10000" } " names what the budget pays for." }
                li { code { "meed scope approvers default --threshold 2 --key …" } " names who approves." }
                li { code { "meed serve" } " runs the node; commands on the same machine go on working." }
                li { code { "meed epoch open --scope default --at TIME" } ", then " code { "meed collect" } " or "
                    code { "meed import" } ", " code { "meed epoch close" } ", " code { "freeze" } ", signatures, "
                    code { "finalize" } "." }
            }
            p { "Or in the browser: " a href="/sign-in" { "sign in" } " with a token of "
                code { "meed token new NAME --role operator" } ", open an epoch on the page of its scope, and follow its review." }
            p { "Every command has examples under " code { "--help" } "." }
        }
    };
    Ok(frame::page("Guide", &[("Overview", "/"), ("Guide", "")], &content))
}
