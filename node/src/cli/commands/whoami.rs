//! `meed whoami`: the key under which somebody earns, computed from an e-mail address that is neither kept nor shown.

use std::io::BufRead as _;
use std::path::Path;

use meed_audit::ids::NodeId;
use meed_audit::trust::{TRUST_BYTES_MAX, Trust};
use serde::Serialize;

use super::all_if_allowed;
use crate::api::documents::{IdentityView, NodeView};
use crate::cli::args::{Cli, WhoamiArgs};
use crate::cli::console::Console;
use crate::cli::session::Session;
use crate::failure::Failure;
use crate::files;
use crate::sources::git::identity_of_email;

/// What `whoami` answers.
#[derive(Serialize)]
struct WhoamiAnswer {
    /// The key to ask a proof for.
    claimant: String,
    /// The account that the address stands for in this node.
    identity: String,
}

/// Runs `meed whoami`.
///
/// # Errors
/// `usage` where it is no address; what the trust file or the ledger refuses.
pub fn run(args: &WhoamiArgs, cli: &Cli, console: Console) -> Result<(), Failure> {
    let email = read_email(&args.git_email)?;
    let (node, bindings): (NodeId, Option<Vec<IdentityView>>) = match &args.trust {
        Some(file) => (Trust::parse(&files::read_text(file, TRUST_BYTES_MAX)?)?.node(), None),
        None => {
            let session = Session::open(cli, console)?;
            let node: NodeView = session.client.get("/node")?;
            (node.node_id, all_if_allowed("/identities", &session)?)
        }
    };
    let identity = identity_of_email(&email, &node).ok_or_else(|| {
        // The address itself is not repeated.
        Failure::usage(
            "expected an e-mail address such as name@example.org",
            "give the address of your commits",
        )
    })?;
    let identity = identity.to_string();
    let bound = bindings.iter().flatten().find(|binding| binding.identity == identity);
    let claimant = match bound.and_then(|binding| binding.user) {
        Some(user) => format!("user:{user}"),
        None => identity.clone(),
    };
    if bindings.is_none() {
        console.notice(
            "notice: where the operator has bound this account to a user, that user's key earns instead",
        );
    }
    let answer = WhoamiAnswer { claimant, identity };
    console.answer(&answer, || answer.claimant.clone())
}

/// The address, or the first line of standard input for `-`, which leaves no trace in a shell's history.
fn read_email(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::unreadable(Path::new("standard input"), &error))?;
    Ok(line)
}
