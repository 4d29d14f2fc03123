//! The git source on repositories that mean harm or are broken, and on requests that cannot be met.

mod sources_support;

use std::fs;
use std::path::Path;

use meed_audit::event::NewEvent;
use meed_node::sources::git::collect;
use meed_node::sources::{CollectError, SourceError};
use sources_support::{NOON, Repo, collect_all, git, git_with_input, person, request};

#[test]
fn no_address_enters_an_event_a_report_or_an_error() {
    let mut repo = Repo::new();
    repo.mailmap("mallory@x.org <mal@x.org>\nX <x@x.org> <y@x.org>\n".as_bytes());
    repo.commit("alice@x.org <alice@x.org>", "mail alice@x.org\n\nCo-authored-by: bob@x.org <bob@x.org>\n");
    repo.commit(
        "Mal <mal@x.org>",
        "see ＠mal or <mal@x.org>,mal%40x.org\n\nReviewed-by: <dan@x.org> dan@x.org\n",
    );
    repo.commit("Nobody <>", "no @ddress\n\nCo-authored-by: eve@x.org eve@x.org\n");
    repo.commit("Bad <bad\u{202e}@x.org>", "bad\n");
    let found = repo.collect();
    assert_eq!(found.events.len(), 3);
    for event in &found.events {
        let whole = format!("{event:?} {:?}", event.clone().into_event([0; 32], Vec::new()).expect("event"));
        assert!(!whole.contains(['@', '＠']) && !whole.contains("%40"), "{whole}");
        assert!(!whole.contains("x.org") && !whole.contains("mallory"), "{whole}");
    }
    assert!(found.events.iter().any(|event| event.metadata().contains("mail [hidden]")));
    let report = format!("{:?}", found.report);
    assert!(!report.contains('@') && !report.contains("x.org"), "{report}");
    let error = collect_all(&request(&repo.path, "alice@x.org")).map(|_| ()).expect_err("no such reference");
    assert!(!format!("{error} {error:?} {}", error.remedy()).contains('@'), "{error}");
}

#[test]
fn hostile_names_and_messages_are_cleaned_and_never_stop_the_collection() {
    let mut repo = Repo::new();
    let latin = repo.commit_bytes(b"Jos\xe9 <jose@x.org>", b"caf\xe9\n\nCo-authored-by: Z\xff <z@x.org>\n");
    let control =
        repo.commit_bytes(b"Al\x1b[31mice\x07 <alice@x.org>", "abc\u{202e}cba\u{200b}\n".as_bytes());
    let huge = repo.commit_bytes(b"Bob <bob@x.org>", &vec![b'x'; 5_000_000]);
    let folded = repo.commit_bytes(b"Bob <bob@x.org>", b"one\n\nCo-authored-by: Carol\n <carol@x.org>\n");
    let no_message = repo.commit_bytes(b"Bob <bob@x.org>", b"");
    let bad_email = repo.commit_bytes(b"Bob <b\xffb@x.org>", b"bytes\n");
    let malformed = repo.object(&[], b"no brackets at all", &format!("C <c@x.org> {NOON} +0000"), b"m\n");
    repo.merge("Bob <bob@x.org>", &[&malformed], "merge\n");
    let found = repo.collect();

    let metadata = |id: &str| found.metadata(&format!("git:commit:{id}")).to_owned();
    assert!(
        metadata(&latin).contains("\"title\":\"caf\u{fffd}\"") && metadata(&latin).contains("Jos\u{fffd}")
    );
    assert_eq!(found.authors(&format!("git:commit:{latin}")).len(), 2);
    assert_eq!(metadata(&control), r#"{"names":["Al[31mice"],"title":"abccba"}"#);
    assert_eq!(metadata(&huge), r#"{"names":["Bob"],"title":"…"}"#);
    assert_eq!(metadata(&no_message), r#"{"names":["Bob"],"title":""}"#);
    assert!(found.authors(&format!("git:commit:{folded}")).contains(&person("carol@x.org")));
    assert_eq!(found.skipped(), [("email_invalid", 2)]);
    assert!(!found.ids().contains(&format!("git:commit:{bad_email}").as_str()));
}

#[test]
fn trailers_are_what_git_takes_for_trailers() {
    let mut repo = Repo::new();
    let in_body = repo.commit(
        "Alice <alice@x.org>",
        "one\n\nCo-authored-by: Not <not@x.org>\nis quoted in a text of several lines\nthat goes on and on\nand on.\n\n\
         Signed-off-by: Alice <alice@x.org>\n",
    );
    let separator = repo.commit("Alice <alice@x.org>", "two\n\nReviewed-by% Dan <dan@x.org>\n");
    // Rules of the repository's own must not add people.
    git(&repo.path, &["config", "trailer.separators", ":%="]);
    git(&repo.path, &["config", "core.commentChar", "R"]);
    let commented = repo.commit("Alice <alice@x.org>", "three\n\nReviewed-by: Dan <dan@x.org>\n");
    let found = repo.collect();
    assert_eq!(found.authors(&format!("git:commit:{in_body}")), [person("alice@x.org")]);
    let ids = [&in_body, &separator, &commented].map(|id| format!("git:commit:{id}"));
    assert_eq!(found.ids(), [&ids[..], &[format!("git:review:{commented}:1")]].concat());
}

#[test]
fn a_repository_cannot_make_git_run_a_program() {
    let mut repo = Repo::new();
    repo.commit("Alice <alice@x.org>", "one\n");
    // A commit that claims a signature, so that showing it would call the program.
    let tree = git(&repo.path, &["mktree"]);
    let signed = git_with_input(
        &repo.path,
        &["hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        format!(
            "tree {tree}\nparent {}\nauthor A <a@x.org> {NOON} +0000\ncommitter A <a@x.org> {NOON} +0000\n\
             gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\nsigned\n",
            repo.tip().expect("tip")
        )
        .as_bytes(),
    );
    git(&repo.path, &["update-ref", "refs/heads/main", &signed]);
    let trap = repo.folder.path().join("trap");
    let sprung = repo.folder.path().join("sprung");
    fs::write(&trap, format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", sprung.display())).expect("trap");
    make_executable(&trap).expect("permissions");
    let trap = trap.to_str().expect("path");
    for setting in [
        "core.fsmonitor",
        "gpg.program",
        "core.pager",
        "pager.log",
        "pager.rev-list",
        "diff.external",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "core.gitProxy",
        "alias.log",
        "alias.rev-list",
        "core.alternateRefsCommand",
        "diff.trap.textconv",
        "filter.trap.smudge",
        "filter.trap.process",
        "credential.helper",
        "interactive.diffFilter",
        "trailer.sign.command",
        "trailer.sign.cmd",
    ] {
        git(&repo.path, &["config", setting, trap]);
    }
    for (setting, value) in [
        ("log.showSignature", "true"),
        ("core.hooksPath", repo.folder.path().to_str().expect("path")),
        ("trailer.sign.key", "Co-authored-by"),
        ("log.diffMerges", "on"),
        ("color.ui", "always"),
        ("log.showRoot", "true"),
        ("format.pretty", "oneline"),
        ("format.notes", "true"),
        ("log.decorate", "full"),
        ("log.date", "relative"),
        ("i18n.logOutputEncoding", "UTF-16"),
    ] {
        git(&repo.path, &["config", setting, value]);
    }
    git(&repo.path, &["-c", "core.fsmonitor=", "notes", "add", "-m", "Co-authored-by: N <n@x.org>", &signed]);
    fs::write(repo.path.join(".gitattributes"), "* diff=trap filter=trap\n").expect("attributes");
    let _ = fs::remove_file(&sprung);
    assert_eq!(repo.collect().events.len(), 2);
    assert!(!sprung.exists(), "git ran {}", fs::read_to_string(&sprung).unwrap_or_default());
    // The trap works: plain git, as the repository wants it, does call the program.
    git(&repo.path, &["-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "main"]);
    assert!(sprung.exists(), "the trap is none");
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[test]
fn replacements_and_grafts_do_not_rewrite_history() {
    let mut repo = Repo::new();
    let first = repo.commit("Alice <alice@x.org>", "one\n");
    let second = repo.commit("Bob <bob@x.org>", "two\n");
    let before = repo.collect();
    let forged =
        repo.object(&[], b"Mallory <mallory@x.org> 5 +0000", &format!("C <c@x.org> {NOON} +0000"), b"mine\n");
    git(&repo.path, &["replace", &first, &forged]);
    fs::write(repo.path.join(".git/info/grafts"), format!("{second}\n")).expect("grafts");
    let after = repo.collect();
    assert_eq!(after.content(), before.content());
    assert_eq!(after.events.len(), 2);
}

#[test]
fn requests_that_cannot_be_met_say_what_to_do() {
    let mut repo = Repo::new();
    let outside = repo.folder.path().to_owned();
    let fail = |path: &Path, reference: &str| {
        let error = collect_all(&request(path, reference)).map(|_| ()).expect_err("must fail");
        let (message, remedy) = (error.to_string(), error.remedy());
        assert!(
            !message.is_empty() && !message.ends_with('.') && !remedy.is_empty() && !remedy.ends_with('.')
        );
        error
    };
    let path = repo.path.clone();
    let unknown =
        |reference: &str| SourceError::ReferenceUnknown { path: path.clone(), reference: reference.into() };
    assert_eq!(fail(&path, "HEAD"), unknown("HEAD"), "nothing was committed yet");
    let id = repo.commit("Alice <alice@x.org>", "one\n");
    let blob = git_with_input(&path, &["hash-object", "-w", "--stdin"], b"x");
    for reference in
        ["nope", "refs/heads/nope", &"0".repeat(40), "HEAD~1", &blob, "HEAD:.mailmap", "main@{1}"]
    {
        assert_eq!(fail(&path, reference), unknown(&reference.replace("main@{1}", "[hidden]")));
    }
    for reference in ["", "-", "--all", "--output=x", "main..main", "^main", "a\nb", "a b", "\0"] {
        assert!(matches!(fail(&path, reference), SourceError::ReferenceInvalid { .. }), "{reference:?}");
    }
    assert!(!path.join("x").exists());
    for reference in [id.as_str(), &id[..12], "main", "HEAD", "main^{commit}", "main~0"] {
        assert_eq!(collect_all(&request(&path, reference)).expect(reference).events.len(), 1);
    }
    assert_eq!(fail(&outside, "HEAD"), SourceError::NotARepository { path: outside.clone() });
    for missing in [outside.join("missing"), path.join(".git/config")] {
        assert_eq!(fail(&missing, "HEAD"), SourceError::FolderUnreadable { path: missing.clone() });
    }
}

#[test]
fn a_branch_whose_name_looks_like_an_option_is_reached_by_its_full_name() {
    let mut repo = Repo::new();
    let id = repo.commit("Alice <alice@x.org>", "one\n");
    git(&repo.path, &["update-ref", "refs/heads/--output=x", &id]);
    assert_eq!(collect_all(&request(&repo.path, "refs/heads/--output=x")).expect("collects").events.len(), 1);
    assert!(!repo.path.join("x").exists());
}

#[test]
fn a_shallow_clone_is_refused_since_it_lacks_its_beginning() {
    let mut repo = Repo::new();
    repo.commit("Alice <alice@x.org>", "one\n");
    repo.commit("Alice <alice@x.org>", "two\n");
    let shallow = repo.folder.path().join("shallow");
    let url = format!("file://{}", repo.path.display());
    git(&repo.path, &["clone", "-q", "--depth", "1", &url, shallow.to_str().expect("path")]);
    let error = collect_all(&request(&shallow, "HEAD")).map(|_| ()).expect_err("refused");
    assert_eq!(error, SourceError::ShallowClone { path: shallow.clone() });
    assert!(error.remedy().contains("--unshallow"));
    git(&shallow, &["fetch", "-q", "--unshallow"]);
    assert_eq!(
        collect_all(&request(&shallow, "HEAD")).expect("collects").content(),
        repo.collect().content()
    );
}

#[test]
fn a_mailmap_that_is_missing_or_too_large_is_an_error_and_not_nobody() {
    let mut repo = Repo::new();
    repo.mailmap(b"Alice <alice@x.org> <a@x.org>\n");
    repo.commit("A <a@x.org>", "one\n");
    let partial = repo.folder.path().join("partial.git");
    let url = format!("file://{}", repo.path.display());
    git(&repo.path, &["config", "uploadpack.allowFilter", "true"]);
    git(&repo.path, &["clone", "-q", "--bare", "--filter=blob:none", &url, partial.to_str().expect("path")]);
    let unreadable = |path: &Path| match collect_all(&request(path, "main")).map(|_| ()) {
        Err(SourceError::MailmapUnreadable { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    unreadable(&partial);
    git(&partial, &["show", "main:.mailmap"]);
    assert_eq!(
        collect_all(&request(&partial, "main")).expect("collects").content(),
        repo.collect().content()
    );

    repo.mailmap(&vec![b'#'; (4 << 20) + 1]);
    repo.commit("A <a@x.org>", "two\n");
    assert!(unreadable(&repo.path).contains("at most 4194304 bytes"));
}

#[test]
fn a_damaged_repository_is_an_error_and_not_a_shorter_history() {
    let mut repo = Repo::new();
    let first = repo.commit("Alice <alice@x.org>", "one\n");
    repo.commit("Alice <alice@x.org>", "two\n");
    let (folder, file) = first.split_at(2);
    fs::remove_file(repo.path.join(".git/objects").join(folder).join(file)).expect("remove");
    let error = collect_all(&repo.request()).map(|_| ()).expect_err("damaged");
    assert!(matches!(error, SourceError::GitFailed { .. }), "{error:?}");
}

/// A history of `count` commits, made at once.
fn long_history(repo: &Repo, count: i64) {
    let mut stream = String::new();
    for mark in 1..=count {
        let message = format!("number {mark}\n\nReviewed-by: Dan <dan@x.org>\n");
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter Person <person-{}@x.org> {} +0000\ndata {}\n{message}\n",
            mark % 40,
            NOON + mark,
            message.len()
        ));
    }
    git_with_input(&repo.path, &["fast-import", "--quiet"], stream.as_bytes());
}

#[test]
fn long_histories_come_in_batches_oldest_first() {
    let repo = Repo::new();
    long_history(&repo, 2_300);
    // The helper checks that no batch has more than 1,000.
    let found = repo.collect();
    assert_eq!((found.report.commits_seen, found.events.len()), (2_300, 4_600));
    assert!(found.events.windows(2).all(|pair| pair[0].event_time() <= pair[1].event_time()));
}

#[test]
fn a_sink_that_refuses_ends_the_collection_with_its_own_error() {
    let repo = Repo::new();
    long_history(&repo, 1_200);
    let mut batches = 0;
    let mut sink = |batch: Vec<NewEvent>| {
        batches += 1;
        if batches == 2 { Err(batch.len()) } else { Ok(()) }
    };
    assert_eq!(collect(&repo.request(), &mut sink), Err(CollectError::Sink(1_000)));
    assert_eq!(batches, 2);
}
