//! Opening an epoch, on the page of its scope.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use meed_audit::RejectionCode;
use meed_audit::time::Timestamp;
use serde::Deserialize;

use super::frame::{day, key};
use super::visitor::{self, unkept};
use super::{Sorry, advice, overview};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{EpochView, OpenRequest, ScopeView};
use crate::api::extract::{At, Call, Fields};
use crate::api::parameters::ScopePath;
use crate::api::problems::Problem;
use crate::client::segment;
use crate::failure::{Failure, reject};

/// What the review of the new epoch is told was done.
pub(super) const DONE: &str = "open";
/// How long the text of a day is.
const DAY_BYTES: usize = "2026-11-09".len();

/// The fields of the form. Boxes that are not ticked are not sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OpenForm {
    /// A day, or a time, in the window.
    at: String,
    /// How many windows are left out.
    skip: String,
    /// Anything here says that the window may begin after now.
    ahead: String,
}

impl OpenForm {
    /// What the interface is asked in the same case.
    fn to_request(&self) -> Result<OpenRequest, Failure> {
        let at = self.at.trim();
        let skip = self.skip.trim();
        let refuse = |_| reject(RejectionCode::InvalidNumber, "skip", "how many windows are left out", skip);
        Ok(OpenRequest {
            at: OpenRequest::moment(at),
            skip: if skip.is_empty() { 0 } else { skip.parse().map_err(refuse)? },
            ahead: !self.ahead.is_empty(),
        })
    }
}

/// What came of the form, for the page that shows it again.
#[derive(Default)]
pub(super) struct Opening {
    problem: Option<Box<Problem>>,
    typed: OpenForm,
}

/// `POST /scopes/{key}/open`: opens the epoch, and leads to its review.
pub(super) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    At(ScopePath { key }): At<ScopePath>,
    Fields(form): Fields<OpenForm>,
) -> Result<Response, Sorry> {
    let call = visitor::may_do(&app, &headers, Access::Operate).await?;
    let caller = call.caller.clone();
    let (name, typed) = (key.clone(), form.clone());
    let opened = call.run(move |service, actor| service.open_epoch(&name, &typed.to_request()?, actor)).await;
    match opened {
        Ok(epoch) => {
            let review = format!("/scopes/{}/epochs/{}/review?done={DONE}", segment(&key), epoch.epoch);
            Ok(Redirect::to(&review).into_response())
        }
        // A scope that is not there has no page to show the form on.
        Err(refused) if refused.is(RejectionCode::ScopeNotFound) => Err(refused.into()),
        Err(refused) => {
            let problem = advice::for_page(refused.into_problem());
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let opening = Opening { problem: Some(problem), typed: form };
            let call = Call { app, caller };
            let page = overview::scope_page_of(call, key, None, opening).await?;
            Ok(unkept((status, page)))
        }
    }
}

/// Why the form did nothing, for the top of the page.
pub(super) fn notice(opening: &Opening) -> Markup {
    html! {
        @if let Some(problem) = &opening.problem {
            div id="notice" class="refused" role="alert" tabindex="-1" {
                p { strong { "Not done: " } (problem.detail) }
                p { strong { "What to do: " } (problem.remedy) " (" a href={ "/problems/" (problem.code) } { (problem.code) } ")" }
            }
        }
    }
}

/// The form, for operators. `newest` is the newest epoch of the scope, and `next` a time in the window that follows.
pub(super) fn section(
    scope: &ScopeView,
    newest: Option<&EpochView>,
    next: Timestamp,
    opening: &Opening,
) -> Markup {
    let typed = &opening.typed;
    let next = next.to_string();
    let next = next.get(..DAY_BYTES).unwrap_or_default();
    let at = if typed.at.is_empty() { next } else { typed.at.as_str() };
    html! {
        section id="open" {
            h2 id="open-title" { "Open an epoch" }
            @match newest {
                Some(open) if open.phase == "open" => p {
                    a href={ "/scopes/" (open.scope) "/epochs/" (open.epoch) "/review" } { "Epoch " (open.epoch) }
                    " is open: one epoch of a scope is at a time, so it is closed first."
                },
                Some(last) => p { "The last one, epoch " (last.epoch) ", ends before " (day(last.period_end)) "." },
                None => p { "It is the first one of " (key(scope.key.as_str())) "." },
            }
            p { "Its period is the window of " (scope.window_days) " days that holds the day which you name." }
            form method="post" action={ "/scopes/" (scope.key) "/open" } aria-labelledby="open-title" {
                div class="field" {
                    label for="open-at" { "A day in its period" }
                    input id="open-at" name="at" value=(at) required autocomplete="off" placeholder="2026-11-09" aria-describedby="open-at-hint";
                    " " small id="open-at-hint" { "such as 2026-11-09, in UTC; or a whole time" }
                }
                div class="field" {
                    label for="open-skip" { "Windows that are left out since the last epoch" }
                    input id="open-skip" name="skip" value=(typed.skip) inputmode="numeric" autocomplete="off" aria-describedby="open-skip-hint";
                    " " small id="open-skip-hint" { "only where some are" }
                }
                div class="beside" {
                    input type="checkbox" id="open-ahead" name="ahead" value="1" checked[!typed.ahead.is_empty()];
                    " " label class="beside" for="open-ahead" { "it may begin after now" }
                }
                button type="submit" { "Open the epoch" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_moment_and_a_time_stays() {
        let request = |at: &str, skip: &str, ahead: &str| {
            OpenForm { at: at.to_owned(), skip: skip.to_owned(), ahead: ahead.to_owned() }.to_request()
        };
        let day = request(" 2026-11-09 ", "", "").expect("a request");
        assert_eq!((day.at.as_str(), day.skip, day.ahead), ("2026-11-09T00:00:00Z", 0, false));
        let time = request("2026-11-10T12:00:00Z", " 3 ", "1").expect("a request");
        assert_eq!((time.at.as_str(), time.skip, time.ahead), ("2026-11-10T12:00:00Z", 3, true));
        for skip in ["x", "-1", "1.5"] {
            let refused = request("2026-11-09", skip, "").expect_err("refused");
            assert_eq!(refused.problem.code, "invalid_number");
        }
    }
}
