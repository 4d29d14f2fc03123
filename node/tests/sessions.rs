//! Command-line sessions as files: what each command's help says, and how wrong usage looks.
//!
//! `TRYCMD=overwrite cargo test -p meed-node --test sessions` writes down what the program says now.

#[test]
fn sessions_are_as_written_down() {
    let cases = trycmd::TestCases::new();
    // Help is wrapped at the width that the program takes where there is no terminal.
    cases.env("COLUMNS", "100").case("tests/cmd/*.trycmd").case("tests/cmd/help/*.trycmd");
}
