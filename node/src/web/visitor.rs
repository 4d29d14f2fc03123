//! Who looks at a page, by the cookie of their session, and whether a form was sent from a page of this node.
//!
//! The cookie counts for pages alone: the interface below `/api/v1` takes `Authorization` and nothing else, so that no
//! page of another site can use it in a visitor's name. Pages that only show something ask [`may_see`], forms that
//! change something ask [`may_do`]; both give the [`Call`] by which a page asks the service in the visitor's name.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use meed_audit::sign_in::Site;
use meed_audit::time::{MS_PER_SECOND, Timestamp};
use meed_audit::{Checked, Rejection, RejectionCode};

use super::Sorry;
use crate::api::App;
use crate::api::authority::{Access, Caller};
use crate::api::extract::{Call, Refused};
use crate::config::Settings;
use crate::session::Begun;

/// The cookie that holds the secret of a session.
const COOKIE: &str = "meed_session";
/// For what only one visitor sees.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The visitor, where they may see what asks for `access`.
///
/// # Errors
/// `token_invalid` for a stranger, `role_forbids` for somebody else.
pub(super) async fn may_see(app: &App, headers: &HeaderMap, access: Access) -> Result<Call, Sorry> {
    let caller = caller(app, headers).await?;
    caller.check(access).map_err(Refused::from)?;
    Ok(Call { app: app.clone(), caller })
}

/// The visitor, where they sent a form from a page of this node and may do what asks for `access`.
///
/// # Errors
/// `cross_origin` for a form of another site, then as [`may_see`].
pub(super) async fn may_do(app: &App, headers: &HeaderMap, access: Access) -> Result<Call, Sorry> {
    check_origin(headers, app.service().settings()).map_err(Refused::from)?;
    may_see(app, headers, access).await
}

/// Who the visitor is by their cookie: a stranger where there is none, or where its session does not hold any more.
async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Refused> {
    let Some(secret) = secret(headers) else { return Ok(app.stranger()) };
    match app.caller_of(secret).await {
        Err(refused) if refused.is(RejectionCode::TokenInvalid) => Ok(app.stranger()),
        known => known,
    }
}

/// The secret in the request's cookie. Two cookies of that name are none: one of them is somebody else's, whoever set
/// it.
pub(super) fn secret(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    });
    let secret = found.next()?;
    found.next().is_none().then_some(secret)
}

/// Whether a form was sent from a page of this node. Browsers say so themselves, in two ways that no page can forge:
/// `Sec-Fetch-Site` where the connection is one that they trust, `Origin` everywhere.
///
/// # Errors
/// `cross_origin` where they say otherwise or nothing.
fn check_origin(headers: &HeaderMap, settings: &Settings) -> Checked<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let got = match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => return Ok(()),
        (Some(other), _) => other,
        (None, Some(origin)) if is_own(origin, text("host"), settings) => return Ok(()),
        (None, Some(origin)) => origin,
        (None, None) => "none",
    };
    let expected = "a form sent from a page of this node";
    Err(Rejection::new(RejectionCode::CrossOrigin, "origin", expected, got))
}

/// Whether an origin is the node's: that of the settings, or the host that the request itself was sent to.
fn is_own(origin: &str, host: Option<&str>, settings: &Settings) -> bool {
    let Ok(origin) = origin.parse::<Site>() else { return false };
    settings.public_url.as_ref() == Some(&origin)
        || host.is_some_and(|host| host.eq_ignore_ascii_case(origin.domain()))
}

/// An answer with the cookie of a new session.
pub(super) fn with_session(
    answer: impl IntoResponse,
    begun: &Begun,
    now: Timestamp,
    settings: &Settings,
) -> Response {
    let seconds = begun.expires_at.as_ms().saturating_sub(now.as_ms()) / MS_PER_SECOND;
    with_cookie(answer, &begun.secret, seconds, settings)
}

/// An answer that makes the browser forget its session.
pub(super) fn without_session(answer: impl IntoResponse, settings: &Settings) -> Response {
    with_cookie(answer, "", 0, settings)
}

fn with_cookie(answer: impl IntoResponse, secret: &str, seconds: i64, settings: &Settings) -> Response {
    let secure = if settings.is_encrypted() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut response = unkept(answer);
    // A secret is hex, so that the cookie is a header's value.
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// An answer that nobody keeps: what it shows is one visitor's.
pub(super) fn unkept(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::http::HeaderName;

    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::parse(text, Path::new("meed.toml"), std::iter::empty()).expect("settings")
    }

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let plain = settings("");
        let named = settings("public_url = \"https://ledger.example.org\"\n");
        let host = ("host", "localhost:8080");
        for fields in [
            vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
            vec![("origin", "http://localhost:8080"), host],
            vec![("origin", "https://localhost:8080"), ("host", "LocalHost:8080")],
        ] {
            assert_eq!(check_origin(&headers(&fields), &plain), Ok(()), "{fields:?}");
        }
        for fields in [
            vec![host],
            vec![("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080"), host],
            vec![("sec-fetch-site", "same-site"), host],
            vec![("sec-fetch-site", "none"), host],
            vec![("origin", "null"), host],
            vec![("origin", "http://localhost:8081"), host],
            vec![("origin", "http://localhost:8080.example.org"), host],
            vec![("origin", "http://localhost:8080")],
            vec![("origin", "https://ledger.example.org"), host],
        ] {
            let refused = check_origin(&headers(&fields), &plain).expect_err("refused");
            assert_eq!(refused.code, RejectionCode::CrossOrigin, "{fields:?}");
        }
        // Behind a proxy the host is that of the proxy's own request.
        assert_eq!(check_origin(&headers(&[("origin", "https://ledger.example.org"), host]), &named), Ok(()));
        assert!(check_origin(&headers(&[("origin", "http://ledger.example.org"), host]), &named).is_err());
    }

    #[test]
    fn one_cookie_counts_and_two_are_none() {
        assert_eq!(secret(&headers(&[("cookie", "a=b; meed_session=x1; c=d")])), Some("x1"));
        assert_eq!(secret(&headers(&[("cookie", "a=b"), ("cookie", "meed_session=x1")])), Some("x1"));
        for cookie in ["", "meed_session", "xmeed_session=x1", "meed_session=x1; meed_session=x2"] {
            assert_eq!(secret(&headers(&[("cookie", cookie)])), None, "{cookie}");
        }
    }

    #[test]
    fn the_cookie_is_for_this_site_alone_and_for_tls_where_there_is_tls() {
        let begun = Begun {
            secret: "meed_session_00".to_owned(),
            expires_at: Timestamp::from_ms(90_999).expect("time"),
        };
        let cookie = |settings: &Settings| {
            let now = Timestamp::from_ms(30_000).expect("time");
            let response = with_session("", &begun, now, settings);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            response.headers()[header::SET_COOKIE].to_str().expect("text").to_owned()
        };
        let plain = "meed_session=meed_session_00; Path=/; Max-Age=60; HttpOnly; SameSite=Strict";
        assert_eq!(cookie(&settings("")), plain);
        let secure = format!("{plain}; Secure");
        assert_eq!(cookie(&settings("public_url = \"https://ledger.example.org\"\n")), secure);
        assert_eq!(cookie(&settings("tls_certificate = \"a\"\ntls_key = \"b\"\n")), secure);
        let gone = without_session("", &settings(""));
        let gone = gone.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(gone.starts_with("meed_session=; ") && gone.contains("Max-Age=0"), "{gone}");
    }
}
