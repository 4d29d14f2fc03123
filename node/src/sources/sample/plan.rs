//! What happens in the sample repository: who did what, in which hour of which week.

/// The people: name and address. The reserved domain of RFC 2606 receives no mail.
pub(super) const PEOPLE: [(&str, &str); 7] = [
    ("Amara Okafor", "amara@example.org"),
    ("Bohdan Kovalenko", "bohdan@example.org"),
    ("Chiara Rossi", "chiara@example.org"),
    ("Diego Fernández", "diego@example.org"),
    ("Emi Tanaka", "emi@example.org"),
    ("Farah Haddad", "farah@example.org"),
    ("Gustav Lindqvist", "gustav@example.org"),
];
/// The bot, and the place that stands for it in [`Step::author`].
pub(super) const BOT: (&str, &str) = ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com");
/// The place of Amara's second address in [`Step::author`].
pub(super) const AMARA_AT_WORK: (&str, &str) = ("A. Okafor", "a.okafor@example.com");
/// Makes one person of Amara's two addresses.
pub(super) const MAILMAP: &str = "Amara Okafor <amara@example.org> <a.okafor@example.com>\n";

/// Where a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// On the main line.
    Main,
    /// On a branch, which begins at the main line.
    Branch,
    /// A merge of the branch into the main line.
    Merge,
}

/// Who authored a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// A person, by position.
    Person(usize),
    /// Amara, with her other address.
    AmaraAtWork,
    /// The bot.
    Bot,
}

/// One commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The week, 0 to 2.
    pub(super) week: i64,
    /// The hour in it, from Monday 00:00.
    pub(super) hour: i64,
    /// Who did it.
    pub(super) author: Who,
    /// The subject line.
    pub(super) title: &'static str,
    /// Positions of co-authors.
    pub(super) with: &'static [usize],
    /// Positions of reviewers.
    pub(super) reviewed: &'static [usize],
    /// Where it stands.
    pub(super) line: Line,
}

const fn on(
    line: Line,
    week: i64,
    hour: i64,
    author: Who,
    title: &'static str,
    with: &'static [usize],
    reviewed: &'static [usize],
) -> Step {
    Step { week, hour, author, title, with, reviewed, line }
}

use Line::{Branch, Main, Merge};
use Who::{AmaraAtWork, Bot, Person};

/// The commits, in order: 11 in the first week, 17 in the second, 12 in the third.
pub(super) const STEPS: [Step; 40] = [
    on(Main, 0, 9, Person(0), "Begin the seed library's catalogue", &[], &[]),
    on(Main, 0, 11, Person(1), "List the beans we grow", &[], &[0]),
    on(Main, 0, 15, Person(2), "Describe how to save tomato seed", &[3], &[1]),
    on(Branch, 0, 33, Person(4), "Draft a sowing calendar", &[], &[]),
    on(Main, 0, 36, AmaraAtWork, "Explain how to borrow seeds", &[], &[4]),
    on(Branch, 0, 41, Person(4), "Add frost dates to the calendar", &[5], &[]),
    on(Merge, 0, 58, Person(0), "Merge the sowing calendar", &[], &[6]),
    on(Main, 0, 82, Bot, "Bump the page template from 2.1 to 2.2", &[], &[]),
    on(Main, 0, 85, Person(3), "Correct the Latin name of runner beans", &[], &[2]),
    on(Main, 0, 106, Person(6), "Say which seeds need cold", &[], &[]),
    on(Main, 0, 111, Person(5), "Translate the first page into Arabic", &[], &[0, 4]),
    on(Main, 1, 8, Person(0), "Plan the spring seed swap", &[1, 2], &[3]),
    on(Main, 1, 10, Person(1), "Add peas and lentils", &[], &[0]),
    on(Main, 1, 13, Person(2), "Describe how to test germination", &[], &[6]),
    on(Branch, 1, 14, Person(3), "Count what is left in each jar", &[], &[]),
    on(Branch, 1, 17, Person(3), "Warn when a jar is nearly empty", &[6], &[5]),
    on(Main, 1, 32, Person(4), "Add a page for children", &[], &[2]),
    on(Merge, 1, 35, AmaraAtWork, "Merge the jar counts", &[], &[1]),
    on(Main, 1, 37, Person(5), "Fix the spelling of chickpea", &[], &[]),
    on(Main, 1, 56, Person(6), "Draw a map of the allotments", &[4], &[0, 2]),
    on(Main, 1, 59, Bot, "Bump the page template from 2.2 to 2.3", &[], &[3]),
    on(Main, 1, 62, Person(0), "Thank the gardeners who gave seeds", &[], &[]),
    on(Branch, 1, 81, Person(1), "Write labels for small packets", &[], &[]),
    on(Branch, 1, 83, Person(5), "Put the harvest year on labels", &[1], &[4]),
    on(Merge, 1, 86, Person(2), "Merge the packet labels", &[], &[0]),
    on(Main, 1, 104, Person(3), "Keep squash varieties apart", &[], &[1, 6]),
    on(Main, 1, 108, Person(4), "Show pictures of seedlings", &[0], &[]),
    on(Main, 1, 130, Person(6), "Note what the slugs left", &[], &[]),
    on(Main, 2, 9, Person(2), "Report on the seed swap", &[0, 1, 3], &[5]),
    on(Main, 2, 12, Person(1), "Remove varieties that did not come up", &[], &[2]),
    on(Main, 2, 34, Person(5), "Translate the calendar into Arabic", &[], &[4]),
    on(Branch, 2, 37, Person(6), "Collect weather readings", &[], &[]),
    on(Main, 2, 39, Person(0), "Answer questions about hybrids", &[], &[3]),
    on(Branch, 2, 57, Person(6), "Chart rain beside germination", &[2], &[0]),
    on(Merge, 2, 60, Person(4), "Merge the weather charts", &[], &[]),
    on(Main, 2, 63, Person(3), "Say how long seeds keep", &[], &[1]),
    on(Main, 2, 80, Bot, "Bump the page template from 2.3 to 2.4", &[], &[]),
    on(Main, 2, 84, Person(4), "Add herbs for shade", &[5], &[6]),
    on(Main, 2, 107, AmaraAtWork, "Plan the autumn sowing", &[], &[2, 5]),
    on(Main, 2, 112, Person(2), "Clean up the index", &[], &[]),
];
