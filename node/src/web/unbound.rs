//! Who goes without in an epoch because nobody has bound their account: shown where they and the operator look.

use maud::{Markup, html};

use super::frame::key;
use super::tables::wide;
use crate::api::documents::UnboundView;
use crate::client::segment;
use crate::words::{unbound_others, unbound_sentence, units};

/// Nothing where everybody who worked is paid.
pub(super) fn section(unbound: Option<&UnboundView>) -> Markup {
    let Some(unbound) = unbound else { return html! {} };
    html! {
        section id="unbound" {
            h2 { "Who goes without" }
            p { strong { (unbound_sentence(unbound)) } ". This scope pays people, not accounts that are nobody's." }
            (wide("Accounts that are nobody's", &html! {
                table class="cards" {
                    thead { tr { th scope="col" { "account" } th scope="col" class="number" { "units" }
                        th scope="col" class="number" { "events" } } }
                    tbody { @for account in &unbound.largest { tr {
                        td { a href={ "/claimants/" (segment(&account.identity)) } { (key(&account.identity)) }
                            @if let Some(name) = &account.name { br; (name) } }
                        td class="number" data-label="units" { (units(account.units.value())) }
                        td class="number" data-label="events" { (account.events) }
                    } } }
                }
            }))
            @if let Some(others) = unbound_others(unbound) { p { (others) } }
            p { "What the operator can do: " (unbound.remedy) ". Whoever holds a key or a wallet binds it by "
                a href="/sign-in" { "signing in" } "." }
        }
    }
}
