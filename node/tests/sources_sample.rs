//! The sample repository: it is what it says, always the same, and a source like any other.

mod sources_support;

use std::collections::BTreeSet;
use std::fs;

use meed_node::sources::SourceError;
use meed_node::sources::git::busiest_finished_week;
use meed_node::sources::sample::generate;
use sources_support::{at, collect_all, git, now, request};

#[test]
fn the_sample_is_what_it_says_and_always_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("new/sample");
    let sample = generate(&path, now()).expect("makes");
    assert_eq!((sample.commits, sample.people), (40, 7));
    assert_eq!(sample.period.start, at("2026-03-09T00:00:00Z"));
    assert_eq!(sample.period.end, at("2026-03-30T00:00:00Z"));
    assert!(
        sample
            .to_string()
            .starts_with("a sample git repository of 40 commits by 7 people and a bot, in the 3 weeks")
    );

    let found = collect_all(&request(&path, "HEAD")).expect("collects");
    assert_eq!(found.report.commits_seen, 40);
    assert_eq!(
        found.report.events.clone().into_iter().collect::<Vec<_>>(),
        [("commit", 33), ("merge", 4), ("review", 29)]
    );
    assert_eq!(found.skipped(), [("bot_event", 3)]);
    let mut people = BTreeSet::new();
    let mut shared = 0;
    for event in &found.events {
        assert!(sample.period.contains(event.event_time()));
        let authors = found.authors(event.id().as_str());
        shared += usize::from(authors.len() > 1);
        people.extend(authors);
    }
    assert_eq!((people.len(), shared), (7, 10), "the mailmap joins the eighth address");

    let again = folder.path().join("again");
    generate(&again, now()).expect("makes");
    assert_eq!(git(&again, &["rev-parse", "HEAD"]), found.report.head);
    assert_eq!(git(&again, &["status", "--porcelain"]), "", "the work tree is there");
    assert_eq!(git(&again, &["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    assert_eq!(git(&again, &["fsck", "--strict"]), "");
    assert!(again.join("notes/40.md").exists() && again.join("notes/06.md").exists());
}

#[test]
fn its_second_week_is_the_busiest_at_any_time_of_the_week_after() {
    let folder = tempfile::tempdir().expect("folder");
    for (name, now) in [("monday", "2026-03-30T00:00:00Z"), ("sunday", "2026-04-05T23:59:59.999Z")] {
        let path = folder.path().join(name);
        generate(&path, at(now)).expect("makes");
        let (week, count) = busiest_finished_week(&path, "HEAD", at(now)).expect("reads").expect("a week");
        assert_eq!((week.start, count), (at("2026-03-16T00:00:00Z"), 29));
    }
}

#[test]
fn it_is_written_only_into_an_empty_folder() {
    let folder = tempfile::tempdir().expect("folder");
    generate(folder.path(), now()).expect("an empty folder will do");
    let head = git(folder.path(), &["rev-parse", "HEAD"]);
    let full = SourceError::FolderNotEmpty { path: folder.path().to_owned() };
    assert_eq!(generate(folder.path(), now()), Err(full));
    assert_eq!(git(folder.path(), &["rev-parse", "HEAD"]), head);
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("write");
    assert!(generate(&file, now()).is_err());
    let early = at("1970-01-20T00:00:00Z");
    assert_eq!(generate(&folder.path().join("x"), early), Err(SourceError::TimeTooEarly { now: early }));
}
