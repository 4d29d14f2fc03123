//! How it reads which window a schedule opens first.

use super::numbers::counted;
use crate::api::documents::FirstWindowView;

/// The window, how many follow up to now, and what is left to no epoch; or that it has to be said.
pub(crate) fn describe_first_window(first: &FirstWindowView) -> String {
    let older = counted(first.left_out, "event");
    let Some(start) = first.start else {
        let are = if first.left_out == 1 { "is" } else { "are" };
        return format!(
            "no window before meed.toml says which (first_window): {older} in the ledger {are} older than the window of now"
        );
    };
    let windows = match first.windows {
        0 | 1 => String::new(),
        some => format!(", and one after the other up to now: {some} epochs, each with its own pool"),
    };
    let left_out = match first.left_out {
        0 => String::new(),
        _ => format!("; {older} from before it are no epoch's"),
    };
    format!("the window from {start}{windows}{left_out}")
}

#[cfg(test)]
mod tests {
    use meed_audit::time::Timestamp;

    use super::*;

    #[test]
    fn what_becomes_of_older_events_is_said() {
        let at = Timestamp::parse_edge("at", "2026-01-05T00:00:00Z").expect("a time");
        let said =
            |start, windows, left_out| describe_first_window(&FirstWindowView { start, windows, left_out });
        assert_eq!(said(Some(at), 1, 0), "the window from 2026-01-05T00:00:00.000Z");
        assert!(said(Some(at), 3, 0).ends_with(": 3 epochs, each with its own pool"));
        assert!(said(Some(at), 1, 2).ends_with("; 2 events from before it are no epoch's"));
        assert!(
            said(None, 0, 1).contains("first_window")
                && said(None, 0, 1).contains("1 event in the ledger is older")
        );
    }
}
