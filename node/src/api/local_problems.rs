//! The closed table of problems that are no refusals by a rule of the ledger: what is wrong with a request, with the node,
//! with its file, or with what a command was given. A test holds the sources to it.

use axum::http::StatusCode;
use meed_audit::rejection::Actor;

/// A kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct LocalProblem {
    /// The stable name.
    pub code: &'static str,
    /// The HTTP status; for what only a command says, the one that its document carries.
    pub status: StatusCode,
    /// Who must act.
    pub actor: Actor,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it; the document of a problem may know more.
    pub remedy: &'static str,
}

/// The problem of this name.
pub fn find(code: &str) -> Option<&'static LocalProblem> {
    ALL.iter().find(|known| known.code == code)
}

macro_rules! problems {
    ($($code:literal $status:ident $actor:ident $meaning:literal $remedy:literal;)*) => {
        /// Every kind, those of requests first.
        pub const ALL: &[LocalProblem] = &[$(LocalProblem {
            code: $code,
            status: StatusCode::$status,
            actor: Actor::$actor,
            meaning: $meaning,
            remedy: $remedy,
        },)*];
    };
}

problems! {
    // Requests.
    "no_route" NOT_FOUND Caller "the node has no such address" "check the path: those of the interface begin with /api/v1";
    "no_method" METHOD_NOT_ALLOWED Caller "the address has no such method" "check the method, and whether this address takes writes";
    "media_type" UNSUPPORTED_MEDIA_TYPE Caller "the body is of another media type than the route reads" "send the header Content-Type that belongs to the body";
    "page_outdated" CONFLICT Caller "what a page showed is not so any more, and its form did nothing" "look at what the page shows now, and send the form again";
    "lines_refused" UNPROCESSABLE_ENTITY Caller "some lines of a batch are refused, and nothing of it was stored" "correct the lines that the problem names, or keep the good ones";
    "lines_left_out" CONFLICT Caller "some lines of a batch are refused, and the good ones were stored" "correct the others and import again: nothing is stored twice";
    "timeout" REQUEST_TIMEOUT Caller "the request took too long; what it asked for may have been done" "send the body faster or ask for less, and look first whether it was done";
    "too_many_requests" TOO_MANY_REQUESTS Caller "this client asks more often than the node allows" "wait as long as the header Retry-After says; fetch many things with a larger `limit`";
    // The node.
    "internal" INTERNAL_SERVER_ERROR Makers "something happened that should not be possible" "report it with the header X-Request-Id of the answer, or with the command";
    "writer_stopped" SERVICE_UNAVAILABLE Operator "the writer of the ledger stopped after a failed commit" "look into the log and at the disk, then start the node again";
    "writer_slow" SERVICE_UNAVAILABLE Operator "the writer of the ledger does not answer in time" "look at the disk and at what the writer is busy with";
    "group_undone" SERVICE_UNAVAILABLE Caller "another command of the same commit failed, and took this one along" "send it again";
    "disk_full" INSUFFICIENT_STORAGE Operator "the disk of the ledger is full" "make room, then start the node again";
    "storage" INTERNAL_SERVER_ERROR Operator "the ledger's file could not be read or written, or is busy" "look into the log and at the disk; try again where it was busy";
    "corrupt" INTERNAL_SERVER_ERROR Operator "the ledger's file does not hold what was written to it" "keep the file for whoever looks into it, and restore a backup with `meed restore`";
    "no_log_key" INTERNAL_SERVER_ERROR Operator "the ledger is open without its log key, and can only be read" "put log.key into the data folder, where the node's account may read it";
    "unsigned" CONFLICT Operator "a log has grown while its key was missing, and its checkpoint is not signed" "open the ledger with its key once";
    "source" CONFLICT Operator "a source of activity could not be read" "do what the problem's remedy says of this source";
    // The ledger's file.
    "exists" CONFLICT Operator "there is something already where something new was to be made" "use what is there, or choose another place: nothing is overwritten";
    "ledger_not_found" NOT_FOUND Operator "there is no ledger in the folder" "choose the folder with --data, or make a ledger with `meed init`";
    "ledger_in_use" CONFLICT Operator "another program has the ledger open" "use the node that runs, or end it first";
    "not_a_ledger" CONFLICT Operator "the file is no ledger" "choose the file of a ledger";
    "newer_format" CONFLICT Operator "the file was made by a newer meed" "use a newer meed";
    "older_format" CONFLICT Operator "the file was made by an older meed whose files this one does not read" "use the meed that made it";
    "wrong_log_key" CONFLICT Operator "the log key is not that of the ledger" "put the log.key of this ledger beside it";
    "other_ledger" CONFLICT Operator "the ledger is not the one that the settings name" "choose the other folder with --data, or correct meed.toml and NODE_ID";
    // Serving.
    "unservable" CONFLICT Operator "the node cannot listen there" "choose another address, port or folder";
    "certificate" CONFLICT Operator "the certificate or its key cannot be used" "give PEM files: tls_certificate the chain, the node's own first, and tls_key its key";
    "clock" CONFLICT Operator "the clock of the machine shows no usable time" "set the clock of this machine";
    "randomness" CONFLICT Operator "the system gave no random bytes" "check the system's random number generator";
    // Commands.
    "usage" BAD_REQUEST Caller "the command line cannot be carried out" "see the command's --help";
    "unreadable" BAD_REQUEST Caller "a file that was named cannot be read" "check the path and that this account may read it";
    "unwritable" CONFLICT Caller "a file cannot be written" "check the disk, the path and that this account may write there";
    "not_a_node" CONFLICT Caller "what answers at the address is no meed node" "check that the address is that of a meed node";
    "node_unreachable" CONFLICT Caller "the node did not answer" "check the address, the network and that the node runs";
    "not_confirmed" CONFLICT Caller "nobody said yes" "run it in a terminal and answer y, or give --yes";
    "key_file" CONFLICT Caller "a key file cannot be opened" "give a key file that `meed key new` wrote, or restore it from your copy";
    "key_use" CONFLICT Caller "the key is for another use" "give the key that this command asks for";
    "passphrase_needed" CONFLICT Caller "a passphrase is needed" "run it in a terminal, or give --passphrase-file";
    "passphrase_differs" CONFLICT Caller "the passphrase was not the same twice" "run the command again";
    "signed_file" CONFLICT Caller "the file of what a key has signed is damaged" "restore the file from your copy";
    "nothing_to_sign" CONFLICT Caller "the file holds nothing that could be signed" "fetch the file again with `meed dossier`";
    "expired" CONFLICT Caller "the text to sign does not hold any more" "ask for a new text, and check the clocks of both machines";
    "other_domain" CONFLICT Caller "the text to sign is for another site than the one that was named" "ask the site that is meant for a text, and sign that";
    "other_key" CONFLICT Caller "the text to sign is for another key" "give the key that the text names, or ask for a text for this one";
    "other_purpose" CONFLICT Caller "the text to sign is for another purpose than the one that was named" "do not sign, and ask the operator of that node";
    "no_report" CONFLICT Operator "a run did what it was asked for, and its record had no room for the report" "see with `meed run show` what its steps say";
    "unhealthy" CONFLICT Operator "`meed doctor` found something that a node needs and lacks" "do what stands beside each check that failed";
    "blind_needed" CONFLICT Caller "a bare text is to be signed, of which nothing can be recomputed" "sign the dossier instead; --blind signs the bare text";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use meed_audit::RejectionCode;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => sources(&path, found),
                false => found.push(path),
            }
        }
    }

    /// The first text among the arguments of each call of these functions.
    fn codes_of(text: &str, calls: &[&str]) -> BTreeSet<String> {
        let after = calls.iter().flat_map(|call| text.split(call).skip(1));
        let first = after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        first.map(str::to_owned).collect()
    }

    #[test]
    fn the_table_has_every_problem_that_the_sources_make_and_no_other() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let own = Path::new(file!()).file_name();
        files.retain(|path| path.file_name() != own);
        let texts: Vec<String> =
            files.iter().map(|path| std::fs::read_to_string(path).expect("a source")).collect();
        let made: BTreeSet<String> = texts
            .iter()
            .flat_map(|text| codes_of(text, &["Problem::local(", "Failure::refused(", "Self::refused("]))
            .collect();
        assert!(made.len() > 20, "{made:?}");
        for code in &made {
            let is_rule = RejectionCode::ALL.iter().any(|known| known.name() == code);
            assert!(is_rule || find(code).is_some(), "{code} is missing in the table");
        }
        for known in ALL {
            let quoted = format!("\"{}\"", known.code);
            assert!(texts.iter().any(|text| text.contains(&quoted)), "nothing makes {}", known.code);
        }
    }

    #[test]
    fn names_stand_once_and_are_no_rules() {
        let names: BTreeSet<&str> = ALL.iter().map(|known| known.code).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(!RejectionCode::ALL.iter().any(|code| names.contains(code.name())));
        for LocalProblem { code, meaning, remedy, status, .. } in ALL {
            assert!(!meaning.ends_with('.') && !remedy.ends_with('.') && remedy.len() > 10, "{code}");
            assert!(status.is_client_error() || status.is_server_error(), "{code}");
        }
    }
}
