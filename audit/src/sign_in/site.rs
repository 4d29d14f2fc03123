//! Where people sign in: the address of a node as browsers know it, and the grammar of URIs.

use std::fmt;
use std::str::FromStr;

/// Longest address, in bytes: that of a host name and a port.
const URL_BYTES_MAX: usize = 255 + 16;

/// `http` or `https`, and the host with its port where that is not the usual one, in lower case: what a browser calls
/// the origin of a page ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    is_encrypted: bool,
    domain: String,
}

impl Site {
    /// Whether a text is the domain of a site: a host in lower case, with its port or without one.
    pub fn is_domain(text: &str) -> bool {
        is_domain(text)
    }

    /// The origin of a host as a request names it; nothing where that is no host.
    pub fn of_host(is_encrypted: bool, host: &str) -> Option<Self> {
        let domain = host.to_ascii_lowercase();
        is_domain(&domain).then_some(Self { is_encrypted, domain })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_encrypted { "https" } else { "http" }
    }

    /// Whether people reach the node over TLS, which a proxy may end before it.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The host, with its port where the address has one: the authority of RFC 3986.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether this is a name of the machine itself, which no other machine can answer for.
    pub fn is_loopback(&self) -> bool {
        let host = match self.domain.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.domain.split(':').next(),
        };
        host.is_some_and(|host| {
            host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme(), self.domain)
    }
}

impl FromStr for Site {
    type Err = ();

    /// Reads `https://ledger.example.org`: without path, and in lower case.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, domain) = text.split_once("://").ok_or(())?;
        let is_encrypted = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(()),
        };
        if text.len() > URL_BYTES_MAX || !is_domain(domain) {
            return Err(());
        }
        Ok(Self { is_encrypted, domain: domain.to_owned() })
    }
}

/// A host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (None, after)
        }
        None => match domain.find(':') {
            Some(at) => {
                let (host, port) = domain.split_at(at);
                (Some(host), port)
            }
            None => (Some(domain), ""),
        },
    };
    host.is_none_or(is_host_name) && is_port(port)
}

fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Nothing, or a colon and a port number in its one form.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    digits.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == digits)
}

/// Whether a text is an absolute URI of RFC 3986, in the part of it that addresses of pages and of contents have: a
/// scheme, then `//` and a host without user, or a path that begins with something; at last a query and a fragment.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_hierarchy = match path.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/').unwrap_or(rest.len());
            let (host, path) = rest.split_at(at);
            is_host(host) && are_characters(path, b":@/")
        }
        None => !path.is_empty() && !path.starts_with('/') && are_characters(path, b":@/"),
    };
    is_scheme && is_hierarchy && are_characters(query, b":@/?") && are_characters(fragment, b":@/?")
}

/// Whether every character may stand in a segment of a path: `pchar` of RFC 3986.
pub(super) fn is_of_segment(text: &str) -> bool {
    are_characters(text, b":@")
}

/// A host of a URI, in either case, with its port.
fn is_host(text: &str) -> bool {
    if text.starts_with('[') {
        return is_domain(text);
    }
    let (host, port) = text.find(':').map_or((text, ""), |at| text.split_at(at));
    !host.is_empty() && are_characters(host, b"") && is_port(port)
}

/// Whether a text has only `unreserved`, `sub-delims`, whole percent-encodings, and the characters of `others`.
fn are_characters(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_right = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(|d| d.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) || others.contains(&byte),
        };
        if !is_right {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        for text in [
            "https://ledger.example.org",
            "http://localhost:8080",
            "https://192.0.2.7:8443",
            "http://[::1]:8080",
            "https://a",
        ] {
            let url: Site = text.parse().expect(text);
            assert_eq!(url.to_string(), text);
            assert_eq!(url.is_loopback(), text.contains("localhost") || text.contains("::1"), "{text}");
        }
        for text in [
            "",
            "ledger.example.org",
            "ftp://ledger.example.org",
            "https://",
            "https://Ledger.example.org",
            "https://ledger.example.org/",
            "https://ledger.example.org/meed",
            "https://ana@ledger.example.org",
            "https://ledger..example.org",
            "https://-a.org",
            "https://ledger.example.org:",
            "https://ledger.example.org:0",
            "https://ledger.example.org:080",
            "https://ledger.example.org:65536",
            "https://ledger.example.org:80:80",
            "https://[::1",
            "https://[nonsense]",
            "https://ledger.example.org\nX: y",
            "https://ledger example.org",
        ] {
            assert!(text.parse::<Site>().is_err(), "{text}");
        }
    }

    #[test]
    fn uris_have_a_scheme_and_only_their_own_characters() {
        for uri in [
            "https://example.com/login",
            "http://localhost:8080",
            "https://example.com/a/b;c=d?e=f/g?#h?i",
            "https://[::1]:1/",
            "ipfs://Qme7ss3ARVgxv6rXqVPiikMJ8u2NLgmgszg13pYrDKEoiu",
            "did:key:z6Mk",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "https://example.com/%7Eana",
        ] {
            assert!(is_uri(uri), "{uri}");
        }
        for uri in [
            "",
            "example.com",
            "/login",
            "https:",
            "https://",
            "1a://b",
            "a b://c",
            "https://a b",
            "https://a/b c",
            "https://a/%7",
            "https://a/%zz",
            "https://a/<b>",
            "https://ana@example.com",
            "https://a:b",
            "https://a:0",
            "https://a#b#c",
            "https://a/\u{e9}",
            "https://a/\n",
            "https:///a",
            "https:/a",
            "https://[::1",
            "https://[a]",
        ] {
            assert!(!is_uri(uri), "{uri}");
        }
        assert!(is_of_segment("") && is_of_segment("a:@!") && !is_of_segment("a/b") && !is_of_segment("a b"));
    }

    #[test]
    fn only_the_machine_itself_is_loopback() {
        let loopback = |host: &str| Site::of_host(false, host).expect(host).is_loopback();
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]"] {
            assert!(loopback(host), "{host}");
        }
        for host in ["example.org", "localhost.example.org", "127.0.0.1.example.org", "192.0.2.7", "[::2]:80"]
        {
            assert!(!loopback(host), "{host}");
        }
        assert_eq!(Site::of_host(false, "a b"), None);
    }
}
