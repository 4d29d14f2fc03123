//! Arguments of what helps with the command line itself: `completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `meed completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed completions bash > /etc/bash_completion.d/meed
  meed completions zsh > ~/.zfunc/_meed
  meed completions fish > ~/.config/fish/completions/meed.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `meed man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed man > meed.1 && man ./meed.1
  meed man --out /usr/local/share/man/man1")]
pub struct ManArgs {
    /// A folder for one page of each command: meed.1, meed-init.1, …
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
