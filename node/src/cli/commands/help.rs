//! `meed completions`, `meed man`: what is made of the command line's own description.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::args::{Cli, CompletionsArgs, ManArgs};
use crate::cli::console::Console;
use crate::failure::Failure;
use crate::files::{self, Access};
use crate::words::counted;

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
    // The generator would make one paragraph of what stands after the options.
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let bare = command.clone().after_help(None::<&'static str>);
    Man::new(bare).title(name).render(&mut page).map_err(failed)?;
    page.extend(as_written(&notes).into_bytes());
    Ok(page)
}

/// Notes and examples, line by line as they are written.
fn as_written(text: &str) -> String {
    let (notes, examples) = text.split_once("Examples:\n").unwrap_or((text, ""));
    let mut roff = Roff::new();
    for (title, text) in [("NOTES", notes), ("EXAMPLES", examples)] {
        let text = text.trim_matches('\n');
        if text.is_empty() {
            continue;
        }
        roff.control("SH", [title]).control("nf", []);
        for line in text.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.to_roff()
}
