//! The `meed` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    meed_node::cli::run(std::env::args_os())
}
