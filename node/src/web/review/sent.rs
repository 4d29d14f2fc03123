//! What a form of the review sent: fields, and files where there are some.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::api::App;
use crate::api::extract::{Fields, Refused, read_body};

/// The fields of a form by their names. Line ends are those of Unix, whatever the browser made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    fields: BTreeMap<String, String>,
    /// The bytes of the file that came, where one did.
    file: Vec<u8>,
}

impl Sent {
    /// Reads a form, whichever of the two ways its fields were put into the body.
    ///
    /// # Errors
    /// `malformed`, `input_too_large`, `not_utf8`, or a body that is no form.
    pub(super) async fn read(request: Request, app: &App) -> Result<Self, Refused> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(boundary) = media_type.and_then(boundary_of) else {
            let Fields(fields) = Fields::<BTreeMap<String, String>>::from_request(request, app).await?;
            return Ok(Self::of(fields));
        };
        let bytes: Bytes = read_body(request, app).await?;
        Ok(parse_parts(&bytes, &boundary)?)
    }

    /// Of no form.
    pub(super) const fn nothing() -> Self {
        Self { fields: BTreeMap::new(), file: Vec::new() }
    }

    fn of(fields: BTreeMap<String, String>) -> Self {
        let plain = |(name, value): (String, String)| (name, value.replace("\r\n", "\n"));
        Self { fields: fields.into_iter().map(plain).collect(), file: Vec::new() }
    }

    /// What was typed into a field; nothing where it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// What was typed into a field, without blanks around it; none where nothing was.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        let text = self.text(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether a box was ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The file.
    pub(super) fn file(&self) -> &[u8] {
        &self.file
    }
}

/// The boundary of a form whose fields are parts ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
fn boundary_of(media_type: &str) -> Option<String> {
    let (essence, parameters) = media_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    })?;
    Some(boundary.to_owned())
}

fn parse_parts(body: &[u8], boundary: &str) -> Checked<Sent> {
    let refuse = |got: &str| Rejection::new(RejectionCode::Malformed, "form", "the parts of a form", got);
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // The first delimiter has no line end before it.
    let body = [b"\r\n", body].concat();
    let mut rest = after(&body, &delimiter).ok_or_else(|| refuse("none"))?;
    let mut sent = Sent::default();
    while !rest.starts_with(b"--") {
        let end = find(rest, &delimiter).ok_or_else(|| refuse("a part without an end"))?;
        let (part, next) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = next.get(delimiter.len()..).unwrap_or(&[]);
        let head_end = find(part, b"\r\n\r\n").ok_or_else(|| refuse("a part without a head"))?;
        let (head, content) = part.split_at_checked(head_end).unwrap_or((part, &[]));
        let content = content.get(4..).unwrap_or(&[]);
        let head = std::str::from_utf8(head).map_err(|_| refuse("a head that is not UTF-8"))?;
        let name = attribute(head, "name").ok_or_else(|| refuse("a part without a name"))?;
        if attribute(head, "filename").is_some() {
            sent.file = content.to_vec();
            continue;
        }
        let text = std::str::from_utf8(content)
            .map_err(|error| Rejection::new(RejectionCode::NotUtf8, &name, "UTF-8", error))?;
        sent.fields.insert(name, text.replace("\r\n", "\n"));
    }
    Ok(sent)
}

/// `name="value"` in the head of a part.
fn attribute(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = line.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })?;
    Some(value.trim_matches('"').to_owned())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn after<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    text.get(find(text, wanted)?.saturating_add(wanted.len())..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x1\r\nContent-Disposition: form-data; name=\"signatures\"\r\n\r\none\r\ntwo\r\n\
                        --x1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.sig\"\r\n\
                        Content-Type: application/octet-stream\r\n\r\nthree\r\n\r\n--x1--\r\n";

    #[test]
    fn parts_are_fields_and_a_file() {
        assert_eq!(boundary_of("multipart/form-data; boundary=x1").as_deref(), Some("x1"));
        assert_eq!(boundary_of("Multipart/Form-Data; charset=utf-8; Boundary=\"x1\"").as_deref(), Some("x1"));
        for other in ["text/plain", "multipart/mixed; boundary=x1", "multipart/form-data"] {
            assert_eq!(boundary_of(other), None, "{other}");
        }
        let sent = parse_parts(BODY.as_bytes(), "x1").expect("a form");
        assert_eq!((sent.text("signatures"), sent.file()), ("one\ntwo", b"three\r\n".as_slice()));
        assert_eq!((sent.text("other"), sent.filled("other"), sent.is_ticked("other")), ("", None, false));
    }

    #[test]
    fn a_form_that_was_cut_off_is_refused() {
        for length in 0..BODY.len() - "--\r\n".len() {
            assert!(parse_parts(&BODY.as_bytes()[..length], "x1").is_err(), "{length}");
        }
        assert!(parse_parts(BODY.as_bytes(), "x2").is_err());
    }

    #[test]
    fn fields_have_one_kind_of_line_ends() {
        let sent = Sent::of(BTreeMap::from([("reason".to_owned(), " a\r\nb ".to_owned())]));
        assert_eq!((sent.text("reason"), sent.filled("reason").as_deref()), (" a\nb ", Some("a\nb")));
    }
}
