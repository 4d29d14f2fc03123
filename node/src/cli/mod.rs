//! The command line: parsing, running, and what is said about failure.

mod advice;
pub mod args;
pub mod commands;
pub mod console;
pub mod session;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::failure::{Exit, Failure};
use crate::nearest::nearest;
use crate::{demo, doctor, key_command, serve, sign, verify_command};
use args::{Cli, Command};
use console::Console;
use session::Session;

/// Runs the program with `arguments`, the first of which is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse_usage(&error, &arguments),
    };
    let console = Console::new(cli.json);
    // A failure that the ledger's file causes inside redb comes back as an error; its own words say nothing more.
    hush_redb();
    survive_file_limits();
    match dispatch(&cli, console).map_err(|failure| advice::advise(&cli.command, failure)) {
        Ok(()) => ExitCode::from(Exit::Done as u8),
        Err(failure) => {
            console.failure(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Lets panics inside redb, which storage catches and reports as a damaged ledger, end without their own message.
fn hush_redb() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_redb = panic.location().is_some_and(|place| place.file().contains("redb-"));
        if !is_redb {
            say(panic);
        }
    }));
}

/// Lets a write beyond the limit on file sizes fail, as on a full disk, where its signal would end the program.
fn survive_file_limits() {
    // That the signal has a handler is enough: nobody reads the flag, since the write itself tells.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

/// Help and version are answers; everything else that the parser has to say is wrong usage.
fn refuse_usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    use clap::error::ErrorKind;
    let json = arguments.iter().any(|argument| argument == "--json");
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nothing can be said where the streams are gone.
        let _ = error.print();
        return ExitCode::from(Exit::Done as u8);
    }
    let text = error.render().to_string();
    let mut parts = text.split("\n\n");
    let what = match error.kind() {
        // Then the text is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "expected a command, got none".to_owned(),
        _ => {
            let what = parts.next().unwrap_or_default().trim_start_matches("error: ");
            let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
            negative_number(error, arguments).unwrap_or(what)
        }
    };
    let usage = parts.find_map(|part| part.trim().strip_prefix("Usage: "));
    let remedy = match usage {
        Some(usage) => {
            format!("usage: {}; --help has examples", usage.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        None => "see --help".to_owned(),
    };
    let remedy = match meant(error) {
        Some(meant) => format!("did you mean {meant}? {remedy}"),
        None => remedy,
    };
    Console::new(json).failure(&Failure::usage(what, remedy));
    ExitCode::from(Exit::Usage as u8)
}

/// What stands near a command, an option or a value that there is not.
fn meant(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let (kind, meant) = kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(one) => Some((kind, one)),
        // The nearest is the last of them.
        ContextValue::Strings(several) => several.last().map(|one| (kind, one)),
        _ => None,
    })?;
    // For any option the parser finds another that has some letters in common with it.
    if kind == ContextKind::SuggestedArg
        && let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidArg)
    {
        let bare = |option: &str| option.trim_start_matches('-').to_owned();
        nearest(&bare(written), [bare(meant).as_str()])?;
    }
    Some(format!("`{meant}`"))
}

/// What to say of a negative number, which the parser takes for an option that does not exist: the option before it.
fn negative_number(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    let is_negative = |text: &str| {
        text.strip_prefix('-').is_some_and(|digits| digits.starts_with(|first: char| first.is_ascii_digit()))
    };
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    if !is_negative(argument) {
        return None;
    }
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let place = texts.iter().position(|text| is_negative(text));
    let (number, before) = match place.and_then(|place| texts.get(place.checked_sub(1)?..=place)) {
        Some([before, number]) => (*number, Some(*before)),
        _ => (argument.as_str(), None),
    };
    let option = before.filter(|before| before.starts_with("--")).map(|option| format!("{option}: "));
    Some(format!("{}expected a number without sign, got {number}", option.unwrap_or_default()))
}

fn dispatch(cli: &Cli, console: Console) -> Result<(), Failure> {
    match &cli.command {
        Command::Init(args) => commands::init::run(args, cli.data.as_deref(), console),
        Command::Key(command) => key_command::run(command, console),
        Command::Sign(args) => sign::run(args, console),
        Command::SignIn(args) => sign::sign_in::run(args, cli, console),
        Command::Verify(args) => verify_command::run(args, console),
        Command::Verifier(args) => verify_command::verifier(args, console),
        Command::Restore(args) => commands::restore::run(args, cli.data.as_deref(), console),
        Command::Whoami(args) => commands::whoami::run(args, cli, console),
        Command::Serve(args) => serve::run(args, cli, console),
        Command::Doctor(args) => doctor::run(args, cli, console),
        Command::Completions(args) => commands::help::completions(args, console),
        Command::Man(args) => commands::help::man(args, console),
        Command::Demo(args) => demo::run(args, cli.data.as_deref(), console),
        command => ask_ledger(command, &Session::open(cli, console)?),
    }
}

/// The commands that need the ledger.
fn ask_ledger(command: &Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Scope(command) => commands::scopes::run(command, session),
        Command::Import(args) => commands::import::run(args, session),
        Command::Collect(args) => commands::activity::collect(args, session),
        Command::Activity(args) => commands::activity::activity(args, session),
        Command::Conflicts(args) => commands::activity::conflicts(args, session),
        Command::Epoch(command) => commands::epochs::run(command, session),
        Command::Curate(args) => commands::decisions::curate(args, session),
        Command::Allocate(args) => commands::decisions::allocate(args, session),
        Command::Pool(command) => commands::decisions::pool(command, session),
        Command::Decisions(args) => commands::decisions::decisions(args, session),
        Command::User(command) => commands::people::user(command, session),
        Command::Bind(args) => commands::people::bind(args, session),
        Command::Revoke(args) => commands::people::revoke(args, session),
        Command::Rebind(args) => commands::people::rebind(args, session),
        Command::Statement(args) => commands::approvals::statement(args, session),
        Command::Dossier(args) => commands::approvals::dossier(args, session),
        Command::Signature(command) => commands::approvals::signature(command, session),
        Command::Proof(args) => commands::proofs::proof(args, session),
        Command::Trust(args) => commands::proofs::trust(args, session),
        Command::Export(args) => commands::proofs::export(args, session),
        Command::Log(command) => commands::logs::run(command, session),
        Command::Token(command) => commands::tokens::run(command, session),
        Command::Run(command) => commands::runs::run(command, session),
        Command::Schedule(command) => commands::runs::schedule(command, session),
        Command::Erase(args) => commands::care::erase(args, session),
        Command::Fsck => commands::care::fsck(session),
        Command::Backup(args) => commands::care::backup(args, session),
        Command::Resume(args) => commands::care::resume(args, session),
        Command::Compact => commands::care::compact(session),
        _ => Err(Failure::internal("a command without its ledger was sent to one")),
    }
}
