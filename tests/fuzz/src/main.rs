//! One fuzzer for all targets: `MEED_FUZZ_TARGET` says which one, `MEED_FUZZ_SEEDS` where to write its seeds to.
//!
//! `tests/fuzz/run` builds and runs it; what is checked stands in `tests/src/checks`, where ordinary tests use it too.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs};

use libfuzzer_sys::fuzz_target;
use meed_tests::checks::{TARGETS, Target, target};

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = env::var("MEED_FUZZ_TARGET").unwrap_or_default();
        let Some(target) = target(&name) else {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            std::process::exit(i32::from(!name.is_empty()));
        };
        if let Ok(folder) = env::var("MEED_FUZZ_SEEDS") {
            write_seeds(&target, Path::new(&folder)).expect("the seeds can be written");
            std::process::exit(0);
        }
        let _ = TARGET.set(target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.check)(data);
        }
    }
);

fn write_seeds(target: &Target, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (number, seed) in (target.seeds)().into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed)?;
    }
    Ok(())
}
