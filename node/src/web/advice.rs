//! What to do about a refusal, for somebody who looks at a page: commands are named only where no page does the thing.

use crate::api::problems::Problem;

/// The problem with what to do about it on the pages, where its own remedy names a command and a page does the thing.
pub(super) fn for_page(mut problem: Box<Problem>) -> Box<Problem> {
    if names_command(&problem.remedy)
        && let Some(remedy) = remedy_of(&problem.code)
    {
        remedy.clone_into(&mut problem.remedy);
    }
    problem
}

/// Whether a remedy tells of a command, of one of its options, or of an address that only programs use.
fn names_command(remedy: &str) -> bool {
    remedy.contains("`meed ") || remedy.contains("--") || remedy.contains("/api/v1")
}

fn remedy_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "no_route" | "no_method" => "begin at the overview, from which links lead to every page",
        "scope_not_found" => "choose one of the scopes on the overview",
        "epoch_not_found" => {
            "choose one of the epochs on the scope's page, where an operator opens the next one"
        }
        "event_not_found" => "choose one of the events in the list of the epoch's review",
        "identity_not_bound" => "become a person of this node on your page, and bind the account there",
        "draft_not_found" => "freeze a draft in the epoch's review, under Draft",
        "epoch_not_in_review" => "close the epoch in its review, under Close",
        "window_not_ended" => "wait until the period has ended, or say under Close why it is closed before",
        "base_issuance_missing" => {
            "put the component base_issuance into the pool in the epoch's review, under Pool"
        }
        "override_claimant_moved" => {
            "set the units again in the epoch's review, for the claimant that the message names"
        }
        "window_ahead" => {
            "wait until it has begun; opening it before can be meant: tick that it may begin after now"
        }
        "decisions_after_draft" => {
            "freeze the next draft and have it signed, or tick under Finalize that they are left out"
        }
        "windows_skipped" => {
            "open the window that the message expects, or say how many windows are left out, for good"
        }
        "lines_refused" => {
            "correct these lines, or tick under Import that the good lines are stored beside bad ones, and choose the file \
             again"
        }
        "collection_gap" => {
            "repair what the message names and collect again in the epoch's review, or say under Close why it is closed \
             nevertheless"
        }
        "run_active" => "wait until the run has ended: its page looks again by itself",
        "sign_by_passed" => "freeze a new draft in the epoch's review, under Draft",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use meed_audit::RejectionCode;

    use super::*;

    /// Commands whose work no page does: they stay in what a page says.
    const COMMANDS_ALONE: [&str; 10] = [
        "`meed key new`",
        "`meed key show`",
        "`meed sign`",
        "`meed fsck`",
        "`meed conflicts`",
        "`meed scope approvers`",
        "`meed user add`",
        "`meed bind`",
        "`meed resume`",
        "`meed scope add`",
    ];

    #[test]
    fn no_page_names_a_command_for_what_a_page_does() {
        for code in RejectionCode::ALL {
            let problem = Problem::local(code.name(), "what happened", code.remedy());
            let shown = for_page(Box::new(problem)).remedy;
            let rest = COMMANDS_ALONE.iter().fold(shown.clone(), |text, known| text.replace(known, ""));
            assert!(!names_command(&rest), "{}: {shown}", code.name());
            assert!(!shown.ends_with('.'), "{}: {shown}", code.name());
        }
    }

    #[test]
    fn what_is_known_of_this_case_stays() {
        let problem = Problem::local("draft_not_found", "what happened", "ask Ana");
        assert_eq!(for_page(Box::new(problem)).remedy, "ask Ana");
        let problem = Problem::local("draft_not_found", "what happened", "run `meed epoch freeze`");
        assert!(for_page(Box::new(problem)).remedy.contains("under Draft"));
        let problem = Problem::local("lines_refused", "what happened", "correct them, or use --keep-good");
        assert!(for_page(Box::new(problem)).remedy.contains("tick under Import"));
    }
}
