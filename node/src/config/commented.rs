//! The settings file as `init` writes it.

use meed_audit::ids::{NodeId, Origin};
use meed_storage::SIGN_BY_DAYS_DEFAULT;

use super::{
    CACHE_MIB_DEFAULT, CONNECTIONS_DEFAULT, CONNECTIONS_PER_CLIENT_DEFAULT, HEAD_TIMEOUT_SECONDS_DEFAULT,
    LISTEN_DEFAULT, REQUEST_TIMEOUT_SECONDS_DEFAULT, REQUESTS_AT_WORK_DEFAULT, REQUESTS_PER_SECOND_DEFAULT,
};
use crate::sources::git::BotList;

/// The settings file that `init` writes: every setting, with its default, as a comment.
pub fn commented(node_id: &NodeId, origin: &Origin) -> String {
    let bots = BotList::default().to_string();
    let bots: Vec<String> = bots.lines().map(|pattern| format!("#   {},\n", toml_string(pattern))).collect();
    format!(
        "\
# Settings of this node. Each but those of scopes can also be given as MEED_<NAME> in the environment, which stands
# above this file.
# What is commented out shows the default. Unknown names are errors.

# Which ledger this is; the program refuses to run on another one. NODE_ID in the environment says the same.
node_id = \"{node_id}\"
origin = \"{origin}\"

# Who decides, as decisions record it, where --actor does not say.
# actor = \"operator\"

# How long signatures are taken after a draft is frozen.
# sign_by_days = {SIGN_BY_DAYS_DEFAULT}

# Memory for pages of the ledger, in MiB.
# cache_mib = {CACHE_MIB_DEFAULT}

# Where the node listens: for everybody, for reading. Put a certificate here, or a proxy with one before it, where it
# can be reached from other machines.
# listen = \"{LISTEN_DEFAULT}\"
# tls_certificate = \"/etc/meed/chain.pem\"
# tls_key = \"/etc/meed/key.pem\"

# Where people reach the node: their signatures name it when they sign in, so that they hold nowhere else. Without it
# only whoever calls the node localhost or by a loopback address can sign in with a key or a wallet.
# public_url = \"https://ledger.example.org\"

# Takes deliveries of GitHub's webhooks at /api/v1/webhooks/github: the file holds the secret that is given to GitHub too,
# of 16 bytes or more, and is for the node's account alone.
# github_webhook_secret_file = \"/etc/meed/github-webhook.secret\"

# Addresses of proxies before this node, whose X-Forwarded-For is believed.
# proxies = [\"127.0.0.1\"]

# How the node writes about its work: text or json.
# log_format = \"text\"

# How much it takes on. 0 requests a second is no limit.
# requests_per_second = {REQUESTS_PER_SECOND_DEFAULT}
# requests_at_work_max = {REQUESTS_AT_WORK_DEFAULT}
# connections_max = {CONNECTIONS_DEFAULT}
# connections_per_client_max = {CONNECTIONS_PER_CLIENT_DEFAULT}

# How long a client may take for the head of a request, and for a whole one with its answer.
# head_timeout_seconds = {HEAD_TIMEOUT_SECONDS_DEFAULT}
# request_timeout_seconds = {REQUEST_TIMEOUT_SECONDS_DEFAULT}

# Authors of commits who are programs and earn nothing: name:<pattern> or email:<pattern>, * for anything.
# A list here replaces the default. In the environment: separated by commas.
# bots = [
{}# ]

{}",
        bots.concat(),
        super::scopes::commented()
    )
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
