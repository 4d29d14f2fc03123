//! `meed completions`, `meed man`: what is made of the command line's own description.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::args::{Cli, CompletionsArgs, ManArgs};
use crate::cli::console::{Console, counted};
use crate::failure::Failure;
use crate::files::{self, Access};

/// Runs `meed completions`.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(args: &CompletionsArgs, console: Console) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "meed", &mut script);
    console.bytes(&script)
}

/// Runs `meed man`.
///
/// # Errors
/// When the folder or standard output cannot be written.
pub fn man(args: &ManArgs, console: Console) -> Result<(), Failure> {
    // Named in full, as their pages refer to one another: meed-epoch-open.
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out else { return console.bytes(&page(&command, "meed")?) };
    fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, &error))?;
    let pages = write_pages(folder, &command, "meed")?;
    let written = format!("{} in {}", counted(pages, "page"), folder.display());
    console.answer(&serde_json::json!({ "pages": pages, "folder": folder }), || written)
}

/// Writes the page of a command and those of the commands below it, and counts them.
fn write_pages(folder: &Path, command: &Command, name: &str) -> Result<usize, Failure> {
    let path = folder.join(format!("{name}.1"));
    files::replace(&path, &page(command, name)?, Access::Umask)?;
    let mut pages = 1_usize;
    for below in command.get_subcommands() {
        let written = write_pages(folder, below, &format!("{name}-{}", below.get_name()))?;
        pages = pages.saturating_add(written);
    }
    Ok(pages)
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let failed = |error: io::Error| Failure::internal(format!("a manual page: {error}"));
    Man::new(command.clone()).title(name).render(&mut page).map_err(failed)?;
    Ok(page)
}
