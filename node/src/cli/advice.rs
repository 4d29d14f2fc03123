//! What the command line knows of a refusal beyond its reason: which command was refused, and so whether a value that
//! stands on the command line is at fault, and what this person should do.

use meed_audit::RejectionCode;

use super::args::{BindArgs, Command, IdentityArgs, ScopeCommand, SignatureCommand};
use crate::api::problems::Problem;
use crate::failure::Failure;

/// The numbers of the refusals of a value that is out of its range.
const VALUES: std::ops::RangeInclusive<u16> =
    RejectionCode::InvalidText as u16..=RejectionCode::NumberTooSmall as u16;

/// What `scope add` and `scope configure` take on the command line; all else that they read is in the file of weights.
const SCOPE_ARGUMENTS: [&str; 5] = ["scope_key", "unit", "decimals", "window_days", "base_issuance"];

/// The failure of a command as its user should see it.
pub(super) fn advise(command: &Command, failure: Failure) -> Failure {
    let is_usage = is_wrong_value(command, &failure.problem);
    let failure = match remedy_of(command, &failure.problem) {
        Some(remedy) => failure.with_remedy(remedy),
        None => failure,
    };
    if is_usage { failure.as_usage() } else { failure }
}

/// Whether what is refused stands on the command line, or is a file that it names and that cannot be read.
fn is_wrong_value(command: &Command, problem: &Problem) -> bool {
    match command {
        // What is refused stands in a file.
        Command::Import(_) | Command::Sign(_) | Command::Signature(_) | Command::Verify(_) => false,
        Command::Restore(_) => problem.code == "ledger_not_found",
        Command::Scope(command) if has_weights(command) && !is_of_scope_argument(problem) => false,
        Command::Scope(ScopeCommand::Approvers(_))
            if matches!(problem.code.as_str(), "key_invalid" | "approver_set_invalid") =>
        {
            true
        }
        // Sources say so themselves.
        Command::Collect(_) | Command::Demo(_) if problem.code == "source" => problem.status == 400,
        Command::Collect(args) if problem.code == "malformed" => !args.bots.is_empty(),
        _ if problem.code == "pool_not_positive" => true,
        _ => problem.number.is_some_and(|number| VALUES.contains(&number)),
    }
}

/// Whether the subject of a refusal is an argument, and so not in the file of weights.
fn is_of_scope_argument(problem: &Problem) -> bool {
    let subject = problem.detail.split(": ").nth(1).unwrap_or_default();
    SCOPE_ARGUMENTS.contains(&subject) || problem.code == "pool_not_positive"
}

fn has_weights(command: &ScopeCommand) -> bool {
    match command {
        ScopeCommand::Add(args) => args.weights.is_some(),
        ScopeCommand::Configure(args) => args.weights.is_some(),
        _ => false,
    }
}

/// What to do whichever command was refused.
fn remedy_for_all(problem: &Problem) -> Option<&'static str> {
    let ends = |end: &str| problem.detail.ends_with(end);
    Some(match problem.code.as_str() {
        "text_length" if ends("got 0 bytes") => "write something: it may not be empty",
        "invalid_text" if ends("got only spaces") => "write something that can be seen",
        "token_invalid" if ends("got no token") => {
            "give a token as $MEED_TOKEN: the operator makes one with `meed token new`, `meed sign-in` one of your own"
        }
        "no_route" => {
            "run it on the node's own machine and without --node: it is for the owner of the data folder"
        }
        "storage" if problem.detail.starts_with("could not open") => {
            "run it as an account that may write the ledger's file: redb locks it and repairs it, also for reading"
        }
        _ => return None,
    })
}

fn remedy_of(command: &Command, problem: &Problem) -> Option<String> {
    if let Some(remedy) = remedy_for_all(problem) {
        return Some(remedy.to_owned());
    }
    let code = problem.code.as_str();
    let remedy = match (command, code) {
        (Command::Bind(_) | Command::Revoke(_) | Command::Rebind(_), "invalid_claimant") => {
            "give --external-id in the form that the message names, without the provider before it"
        }
        (Command::Whoami(_), "node_unreachable" | "not_a_node") => {
            return Some(format!(
                "{}; or ask no node, and name a scope's trust file with --trust",
                problem.remedy
            ));
        }
        (Command::Revoke(_), "identity_not_bound") => {
            "nothing is left to do: the account is nobody's; give it to another user than before with `meed rebind`"
        }
        (Command::Bind(args), "identity_bound_to_other") => return Some(rebind_remedy(args)),
        (Command::Resume(_), "nothing_to_change") => "nothing is left to do: the ledger is in use already",
        (Command::Epoch(_), "invalid_time") if problem.detail.contains("a time whose window") => {
            "open a window that lies in these years as a whole"
        }
        // Where another revision is final, the refusal says which.
        (Command::Proof(_) | Command::Export(_), "statement_not_found")
            if problem.remedy == RejectionCode::StatementNotFound.remedy() =>
        {
            "finalize the epoch first: `meed epoch show` says how far it is; `meed statement --preview` shows what it \
             would be now"
        }
        (Command::Backup(_), "exists") if problem.detail.starts_with("expected no file") => {
            "choose another path: a backup overwrites nothing"
        }
        (Command::Backup(_), "storage") => {
            "check that the folder of the backup exists, has room, and that this account may write there"
        }
        (Command::Restore(_), "ledger_not_found") => "check the path of the backup",
        (Command::Restore(_), "not_a_ledger" | "corrupt") => {
            "give a file that `meed backup` wrote, and that was copied whole"
        }
        (Command::Scope(ScopeCommand::Add(args)), "scope_exists") => {
            let key = &args.key;
            return Some(format!(
                "look at it with `meed scope show {key}`, change the terms of its later epochs with `meed scope \
                 configure {key}`, or choose another key"
            ));
        }
        (Command::Signature(SignatureCommand::Add { approvers: true, scope, .. }), "draft_not_found") => {
            return Some(format!(
                "nothing is left to sign: see with `meed scope approvers {}` whether the set is in force already, or \
                 propose one there with --threshold and --key",
                scope.scope
            ));
        }
        (Command::Scope(ScopeCommand::Approvers(_)), "draft_not_found") => {
            "no set is proposed: propose one with --threshold and --key"
        }
        (Command::Signature(_), "signature_invalid") => {
            "give the file that `meed sign` wrote for the current draft; fetch the dossier and sign again if in doubt"
        }
        (Command::Rebind(_), "mismatch") => {
            "give --from the user whose account it is or was last, as expected above"
        }
        (Command::Rebind(_), "identity_not_bound") => {
            "nobody ever had it: give it to the user with `meed bind`"
        }
        (Command::Rebind(_), "nothing_to_change") => "it is that user's already: nothing is left to do",
        _ => return None,
    };
    Some(remedy.to_owned())
}

/// What to do about an account that is somebody else's.
fn rebind_remedy(args: &BindArgs) -> String {
    let IdentityArgs { provider, external_id } = &args.identity;
    format!(
        "leave it; or give it to the other user by a decision that names both, `meed rebind --provider {provider} \
         --external-id {external_id} --from USER --user {} --evidence JSON`",
        args.user
    )
}
