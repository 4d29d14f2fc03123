//! Which authors are programs: a list of patterns, with a default that leaves people in.

use std::fmt;
use std::str::FromStr;

use meed_audit::{Checked, Rejection, RejectionCode};

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256;

/// The patterns of [`BotList::default`].
///
/// They name what calls itself a bot, the services that most repositories meet, and mailboxes that no person reads.
/// `12345+alice@users.noreply.github.com` is a person's address, and no pattern matches it.
const DEFAULT_PATTERNS: [&str; 21] = [
    "name:*[bot]",
    "email:*[bot]@*",
    "email:noreply@*",
    "email:no-reply@*",
    "email:donotreply@*",
    "email:do-not-reply@*",
    "email:action@github.com",
    "email:actions@github.com",
    "name:dependabot",
    "name:dependabot-preview",
    "name:renovate",
    "name:renovate bot",
    "name:renovatebot",
    "name:github-actions",
    "name:github actions",
    "name:greenkeeper",
    "name:snyk-bot",
    "name:mergify",
    "name:pre-commit-ci",
    "name:allcontributors",
    "name:web-flow",
];

/// One pattern: `name:<glob>` or `email:<glob>`, where `*` stands for any characters. Case of ASCII letters is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotPattern {
    field: Field,
    glob: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Email,
}

impl FromStr for BotPattern {
    type Err = Rejection;

    /// # Errors
    /// `malformed` for another form, `text_length` for a pattern that is empty or above 256 bytes.
    fn from_str(text: &str) -> Checked<Self> {
        let (field, glob) = match text.split_once(':') {
            Some(("name", glob)) => (Field::Name, glob),
            Some(("email", glob)) => (Field::Email, glob),
            _ => {
                let expected = "name:<pattern> or email:<pattern>, such as name:*[bot]";
                return Err(Rejection::new(RejectionCode::Malformed, "bot pattern", expected, text));
            }
        };
        if glob.is_empty() || glob.len() > PATTERN_BYTES_MAX {
            let expected = format!("1 to {PATTERN_BYTES_MAX} bytes after the colon");
            let got = format!("{} bytes", glob.len());
            return Err(Rejection::new(RejectionCode::TextLength, "bot pattern", expected, got));
        }
        Ok(Self { field, glob: glob.to_ascii_lowercase() })
    }
}

impl fmt::Display for BotPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.field {
            Field::Name => "name",
            Field::Email => "email",
        };
        write!(f, "{field}:{}", self.glob)
    }
}

/// The patterns by which bots are told from people. The default list is printed by its [`fmt::Display`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotList(Vec<BotPattern>);

impl Default for BotList {
    /// The documented list: see [`BotList::patterns`] for its patterns.
    fn default() -> Self {
        Self(DEFAULT_PATTERNS.iter().filter_map(|pattern| pattern.parse().ok()).collect())
    }
}

impl BotList {
    /// A list of these patterns only; without any, nobody is a bot.
    pub fn new(patterns: Vec<BotPattern>) -> Self {
        Self(patterns)
    }

    /// This list and `patterns`.
    #[must_use]
    pub fn with(mut self, patterns: impl IntoIterator<Item = BotPattern>) -> Self {
        self.0.extend(patterns);
        self
    }

    /// The patterns.
    pub fn patterns(&self) -> &[BotPattern] {
        &self.0
    }

    /// Whether a person with this name and e-mail address, after the mailmap, is a bot.
    pub(in crate::sources) fn matches(&self, name: &[u8], email: &[u8]) -> bool {
        let (name, email) = (name.to_ascii_lowercase(), email.to_ascii_lowercase());
        self.0.iter().any(|pattern| match pattern.field {
            Field::Name => glob_matches(pattern.glob.as_bytes(), &name),
            Field::Email => glob_matches(pattern.glob.as_bytes(), &email),
        })
    }
}

impl fmt::Display for BotList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|pattern| writeln!(f, "{pattern}"))
    }
}

/// Whether `glob` matches all of `text`; `*` stands for any bytes. The last star takes back what it gave up too
/// early, so that the work is at most the product of both lengths.
pub(in crate::sources) fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at_glob, mut at_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        if glob.get(at_glob) == Some(&b'*') {
            star = Some((at_glob, at_text));
            at_glob += 1;
        } else if glob.get(at_glob) == text.get(at_text) {
            at_glob += 1;
            at_text += 1;
        } else if let Some((star_glob, star_text)) = star {
            star = Some((star_glob, star_text + 1));
            (at_glob, at_text) = (star_glob + 1, star_text + 1);
        } else {
            return false;
        }
    }
    glob.iter().skip(at_glob).all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{BotList, BotPattern, DEFAULT_PATTERNS, glob_matches};

    #[test]
    fn the_default_list_leaves_people_in_and_programs_out() {
        let list = BotList::default();
        assert_eq!(list.patterns().len(), DEFAULT_PATTERNS.len(), "every default pattern parses");
        for (name, email) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("Dependabot", "support@example.com"),
            ("x", "29139614+Renovate[Bot]@users.noreply.github.com"),
            ("GitHub", "noreply@github.com"),
            ("helper", "No-Reply@example.org"),
            ("GitHub Actions", "ci@example.org"),
        ] {
            assert!(list.matches(name.as_bytes(), email.as_bytes()), "{name} <{email}>");
        }
        for (name, email) in [
            ("Alice", "12345+alice@users.noreply.github.com"),
            ("Bob", "bob@users.noreply.github.com"),
            ("Botond", "botond@example.org"),
            ("Abbot", "abbot@robot.example.org"),
            ("bot", "bot@example.org"),
            ("Renovate Smith", "smith@example.org"),
        ] {
            assert!(!list.matches(name.as_bytes(), email.as_bytes()), "{name} <{email}>");
        }
    }

    #[test]
    fn a_configured_list_replaces_or_extends_the_default() {
        let pattern: BotPattern = "name:CI *".parse().expect("pattern");
        assert_eq!(pattern.to_string(), "name:ci *");
        let only = BotList::new(vec![pattern.clone()]);
        assert!(only.matches(b"CI runner", b"x@y.org") && !only.matches(b"dependabot[bot]", b"x@y.org"));
        let both = BotList::default().with([pattern]);
        assert!(both.matches(b"CI runner", b"x@y.org") && both.matches(b"dependabot[bot]", b"x@y.org"));
        assert!(!BotList::new(Vec::new()).matches(b"dependabot[bot]", b"noreply@y.org"));
    }

    #[test]
    fn other_forms_of_patterns_are_refused() {
        for text in ["", "bot", "login:x", "name:", "email:", "Name:x", &format!("name:{}", "x".repeat(257))]
        {
            assert!(text.parse::<BotPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn globs_agree_with_a_recursive_matcher() {
        fn recursive(glob: &[u8], text: &[u8]) -> bool {
            match (glob.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) if recursive(rest, text) => true,
                (Some((b'*', _)), Some((_, text))) => recursive(glob, text),
                (Some((a, glob)), Some((b, text))) => a == b && recursive(glob, text),
                _ => false,
            }
        }
        let words = |letters: &[u8]| {
            let mut all: Vec<Vec<u8>> = vec![Vec::new()];
            for index in 0..121 {
                let grown: Vec<Vec<u8>> =
                    letters.iter().map(|&byte| [all[index].as_slice(), &[byte]].concat()).collect();
                all.extend(grown);
            }
            all
        };
        for glob in words(b"ab*") {
            for text in words(b"ab") {
                assert_eq!(glob_matches(&glob, &text), recursive(&glob, &text), "{glob:?} {text:?}");
            }
        }
    }
}
