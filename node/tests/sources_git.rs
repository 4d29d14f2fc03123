//! The git source on real repositories: which events a history gives, who shares them, what is left out.

mod sources_support;

use meed_audit::json::Value;
use meed_node::sources::SourceError;
use meed_node::sources::git::{BotList, SkipReason, busiest_finished_week};
use sources_support::{NOON, Repo, at, collect_all, git, now, people, person};

#[test]
fn commits_merges_and_reviews_become_events() {
    let mut repo = Repo::new();
    let first = repo.commit("Alice <alice@x.org>", "first\n");
    let side = repo.object(
        std::slice::from_ref(&first),
        b"Bob <bob@x.org> 5 +0000",
        &format!("C <c@x.org> {} +0000", NOON + 70),
        b"side\n\nCo-authored-by: Carol <carol@x.org>\nReviewed-by: Dan <dan@x.org>\nReviewed-by: Eve <eve@x.org>\n",
    );
    let merge = repo.merge("Alice <alice@x.org>", &[&side], "Merge side\n\nReviewed-by: Eve <eve@x.org>\n");
    let found = repo.collect();

    let ids = [
        format!("git:commit:{first}"),
        format!("git:commit:{side}"),
        format!("git:review:{side}:1"),
        format!("git:review:{side}:2"),
        format!("git:merge:{merge}"),
        format!("git:review:{merge}:1"),
    ];
    assert_eq!(found.ids(), ids);
    let [_, commit, _, second_review, merged, _] = &ids;
    assert_eq!(found.authors(commit), people(&["bob@x.org", "carol@x.org"]));
    assert_eq!(found.authors(second_review), [person("eve@x.org")]);
    assert_eq!(found.authors(merged), [person("alice@x.org")]);
    let event = found.event(commit);
    assert_eq!(event.authors.iter().map(|author| author.share).collect::<Vec<_>>(), [500_000, 500_000]);
    assert_eq!(event.event_time, at("2026-03-04T12:01:10Z"), "the committer's time, not the author's");
    assert_eq!(event.source_ref, format!("git:{first}"));
    assert_eq!(event.weight_key(), "git:commit");
    assert_eq!((event.producer.as_str(), event.retrieved_at), ("meed-git", now()));
    assert_eq!(found.event(merged).weight_key(), "git:merge");

    let report = &found.report;
    assert_eq!((report.commits_seen, report.commits_in_period, report.events_total()), (3, 3, 6));
    assert_eq!(
        report.events.clone().into_iter().collect::<Vec<_>>(),
        [("commit", 2), ("merge", 1), ("review", 3)]
    );
    assert_eq!(report.head, merge);
    assert_eq!(report.source_ref, format!("git:{first}"));
    assert_eq!(report.first_time, Some(at("2026-03-04T12:01:00Z")));
    assert_eq!(report.last_time, Some(at("2026-03-04T12:02:00Z")));
    assert_eq!(found.skipped(), []);
}

#[test]
fn the_payload_hash_covers_what_can_decide_money() {
    let mut repo = Repo::new();
    let id = repo.commit("Alice <alice@x.org>", "first\n\nReviewed-by: Dan <dan@x.org>\n");
    let found = repo.collect();
    let hash = |event_type: &str, email: &str, number: &str| {
        let text = format!(
            r#"{{"authors":["{}"],"commit":"{id}","committer_time":"2026-03-04T12:01:00.000Z","event_type":"{event_type}",{number}"parents":"0","v":"meed/git-payload/v1"}}"#,
            person(email)
        );
        assert_eq!(Value::parse_edge(text.as_bytes()).expect("JSON").to_canonical(), text, "canonical");
        meed_audit::hash::Hash::of(text.as_bytes())
    };
    assert_eq!(found.event(&format!("git:commit:{id}")).payload_hash, hash("commit", "alice@x.org", ""));
    let review = found.event(&format!("git:review:{id}:1"));
    assert_eq!(review.payload_hash, hash("review", "dan@x.org", r#""n":"1","#));
}

#[test]
fn names_are_listed_as_authors_are_and_titles_kept() {
    let mut repo = Repo::new();
    let id = repo.commit(
        "Alice <alice@x.org>",
        "Fix  it\n\nCo-authored-by: Bob <bob@x.org>\nCo-authored-by: eve@x.org\n",
    );
    let found = repo.collect();
    let id = format!("git:commit:{id}");
    let metadata = Value::parse_edge(found.metadata(&id).as_bytes()).expect("JSON");
    assert_eq!(metadata.field("title").and_then(Value::as_str), Some("Fix it"));
    let Some(Value::Array(names)) = metadata.field("names") else { panic!("no names") };
    for (author, name) in found.authors(&id).iter().zip(names) {
        let expected = [("alice@x.org", "Alice"), ("bob@x.org", "Bob"), ("eve@x.org", "")]
            .into_iter()
            .find(|(email, _)| person(email) == *author)
            .map(|(_, name)| name);
        assert_eq!(name.as_str(), expected);
    }
    assert_eq!(names.len(), 3);
}

#[test]
fn the_mailmap_of_the_commit_joins_addresses_and_no_other_does() {
    let mut repo = Repo::new();
    repo.mailmap(
        b"Alice <alice@x.org> <alice@work.org>\nBob > Jr <bob@x.org> Robert <shared@x.org>\n# a remark\n",
    );
    let id = repo.commit(
        "A <ALICE@work.org>",
        "one\n\nCo-authored-by: Robert <shared@x.org>\nCo-authored-by: Bob <bob@x.org>\n\
         Reviewed-by: Alice <alice@Work.org>\nReviewed-by: Someone Else <shared@x.org>\n",
    );
    let check = || {
        let found = repo.collect();
        assert_eq!(found.authors(&format!("git:commit:{id}")), people(&["alice@x.org", "bob@x.org"]));
        assert_eq!(found.authors(&format!("git:review:{id}:2")), [person("shared@x.org")]);
        assert_eq!(found.skipped(), [("self_review", 1)]);
        assert!(found.metadata(&format!("git:commit:{id}")).contains("Bob > Jr"));
    };
    check();
    std::fs::write(repo.path.join(".mailmap"), "Zed <zed@x.org> <alice@work.org>\n").expect("write");
    let other = repo.folder.path().join("mailmap");
    std::fs::write(&other, "Zed <zed@x.org> <bob@x.org>\n").expect("write");
    std::fs::copy(&other, repo.path.join(".git/.mailmap")).expect("copy");
    git(&repo.path, &["config", "mailmap.file", other.to_str().expect("path")]);
    git(&repo.path, &["config", "mailmap.blob", "main:nothing"]);
    check();
}

#[test]
fn the_same_address_in_two_cases_is_one_person() {
    let mut repo = Repo::new();
    let id = repo.commit(
        "Alice <Alice@X.org>",
        "one\n\nCo-Authored-By: alice <alice@x.ORG>\nReviewed-by: ALICE <ALICE@x.org>\n\
         reviewed-by: Dan <dan@x.org>\nReviewed-by: Dan again <DAN@x.org>\nReviewed-by: Eve <eve@x.org>\n",
    );
    let found = repo.collect();
    assert_eq!(found.authors(&format!("git:commit:{id}")), [person("alice@x.org")]);
    assert_eq!(
        found.ids(),
        [format!("git:commit:{id}"), format!("git:review:{id}:2"), format!("git:review:{id}:3")],
        "a repeated trailer has no number of its own"
    );
    assert_eq!(found.authors(&format!("git:review:{id}:3")), [person("eve@x.org")]);
    assert_eq!(found.skipped(), [("self_review", 1)]);
}

#[test]
fn bots_are_left_out_by_the_list_and_counted() {
    let mut repo = Repo::new();
    let bot = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>";
    let alone = repo.commit(bot, "Bump\n\nReviewed-by: Dan <12+dan@users.noreply.github.com>\n");
    let led = repo.commit(bot, "Bump\n\nCo-authored-by: Alice <alice@x.org>\n");
    let helped = repo.commit(
        "Alice <alice@x.org>",
        "Fix\n\nCo-authored-by: ci <noreply@x.org>\nReviewed-by: ci <no-reply@x.org>\nReviewed-by: Eve <eve@x.org>\n",
    );
    let found = repo.collect();
    let ids = [
        format!("git:review:{alone}:1"),
        format!("git:commit:{led}"),
        format!("git:commit:{helped}"),
        format!("git:review:{helped}:2"),
    ];
    assert_eq!(found.ids(), ids, "a review of a bot's commit is a person's work");
    assert_eq!(found.authors(&ids[1]), [person("alice@x.org")]);
    assert_eq!(found.event(&ids[2]).authors[0].share, 1_000_000);
    assert_eq!(found.skipped(), [("bot_event", 1), ("bot_author", 2), ("bot_review", 1)]);
    assert_eq!(found.report.skipped[&SkipReason::BotEvent].examples, [alone]);

    let mut request = repo.request();
    request.bots = BotList::new(Vec::new());
    let all = collect_all(&request).expect("collects");
    assert_eq!(all.skipped(), []);
    assert_eq!(all.authors(&ids[1]).len(), 2);
    assert_eq!(
        all.event(&ids[3]).content_hash(),
        found.event(&ids[3]).content_hash(),
        "numbers of reviews do not depend on the list"
    );
}

#[test]
fn people_without_a_readable_address_are_named_by_reason() {
    let mut repo = Repo::new();
    let missing = repo.commit("Nobody <>", "one\n\nReviewed-by: Dan <dan@x.org>\n");
    let invalid = repo.commit("Local <root>", "two\n");
    let unclear = repo.commit(
        "Alice <alice@x.org>",
        "three\n\nCo-authored-by: Bob\nCo-authored-by: A <a@x.org>, B <b@x.org>\nReviewed-by: Dan\n\
         Reviewed-by: Eve <eve@x.org> # the parser only\n",
    );
    let found = repo.collect();
    let ids = [
        format!("git:review:{missing}:1"),
        format!("git:commit:{unclear}"),
        format!("git:review:{unclear}:2"),
    ];
    assert_eq!(found.ids(), ids);
    assert_eq!(found.authors(&ids[1]), [person("alice@x.org")]);
    let expected =
        [("email_missing", 1), ("email_invalid", 1), ("coauthor_unreadable", 2), ("reviewer_unreadable", 1)];
    assert_eq!(found.skipped(), expected);
    assert_eq!(found.report.skipped[&SkipReason::EmailInvalid].examples, [invalid]);
    for reason in found.report.skipped.keys() {
        assert!(!reason.explanation().is_empty() && !reason.explanation().ends_with('.'));
    }
}

#[test]
fn the_most_authors_are_kept_and_one_more_is_refused_whole() {
    let mut repo = Repo::new();
    let with = |count: usize| {
        let lines: String =
            (1..count).map(|n| format!("Co-authored-by: Person {n} <person-{n}@x.org>\n")).collect();
        format!("many\n\n{lines}Reviewed-by: Dan <dan@x.org>\n")
    };
    let most = repo.commit("Alice <alice@x.org>", &with(100));
    let over = repo.commit("Alice <alice@x.org>", &with(101));
    let far_over = repo.commit("Alice <alice@x.org>", &with(200));
    let beyond_reading = repo.commit("Alice <alice@x.org>", &with(3_000));
    let found = repo.collect();
    let ids = [
        format!("git:commit:{most}"),
        format!("git:review:{most}:1"),
        format!("git:review:{over}:1"),
        format!("git:review:{far_over}:1"),
    ];
    assert_eq!(found.ids(), ids);
    assert_eq!(found.authors(&ids[0]).len(), 100);
    assert_eq!(found.skipped(), [("too_many_authors", 2), ("oversized", 1)]);
    assert_eq!(found.report.skipped[&SkipReason::Oversized].examples, [beyond_reading]);
}

#[test]
fn times_that_no_ledger_takes_are_counted() {
    let mut repo = Repo::new();
    let now_seconds = now().as_ms() / 1_000;
    let kept = [repo.commit_at("0"), repo.commit_at(&(now_seconds + 600).to_string())];
    let future = repo.commit_at(&(now_seconds + 601).to_string());
    for seconds in
        ["-1", "-100", "abc", "", "253402300800", "18446744073709551615", "99999999999999999999999"]
    {
        repo.commit_at(seconds);
    }
    let found = repo.collect();
    let mut ids = found.ids();
    ids.sort_unstable();
    let mut expected = kept.map(|id| format!("git:commit:{id}"));
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(found.skipped(), [("time_invalid", 7), ("time_in_future", 1)]);
    assert_eq!(found.report.skipped[&SkipReason::TimeInFuture].examples, [future]);
    assert_eq!(found.report.skipped[&SkipReason::TimeInvalid].examples.len(), 5, "examples are few");
}

#[test]
fn the_period_holds_its_beginning_and_not_its_end_whatever_the_order_of_times() {
    let mut repo = Repo::new();
    // Clocks differ: a parent may be younger than its child, and must be found all the same.
    let times = [NOON + 500, NOON, NOON + 99, NOON + 100, NOON - 1, NOON + 50];
    let ids = times.map(|seconds| repo.commit_at(&seconds.to_string()));
    let mut request = repo.request();
    request.since = Some(at("2026-03-04T12:00:00Z"));
    request.until = Some(at("2026-03-04T12:01:40Z"));
    let found = collect_all(&request).expect("collects");
    assert_eq!(found.ids(), [1, 2, 5].map(|index| format!("git:commit:{}", ids[index])));
    assert_eq!((found.report.commits_seen, found.report.commits_in_period), (6, 3));
    request.until = request.since;
    assert!(matches!(collect_all(&request), Err(SourceError::PeriodEmpty { .. })));
}

#[test]
fn collected_again_from_anywhere_the_content_is_the_same() {
    let mut repo = Repo::new();
    repo.mailmap(b"Alice <alice@x.org> <alice@work.org>\n");
    repo.commit(
        "A <alice@work.org>",
        "one\n\nCo-authored-by: Bob <bob@x.org>\nReviewed-by: Dan <dan@x.org>\n",
    );
    repo.commit("Bob <bob@x.org>", "two\n");
    let first = repo.collect();
    assert_eq!(first.events.len(), 3);
    assert_eq!(repo.collect().content(), first.content());

    let root = repo.folder.path();
    let bare = root.join("bare.git");
    let tree = root.join("tree");
    git(&repo.path, &["clone", "-q", "--bare", ".", bare.to_str().expect("path")]);
    git(&repo.path, &["worktree", "add", "-q", "--detach", tree.to_str().expect("path"), "main"]);
    std::fs::create_dir(tree.join("inner")).expect("folder");
    git(&repo.path, &["branch", "-m", "main", "trunk"]);
    git(&repo.path, &["tag", "-a", "-m", "tagged", "v1", "trunk"]);
    git(&repo.path, &["pack-refs", "--all"]);
    git(&repo.path, &["gc", "-q"]);
    git(&repo.path, &["commit-graph", "write", "--reachable"]);
    let places = [
        (bare, "main"),
        (tree.clone(), "HEAD"),
        (tree.join("inner"), "HEAD"),
        (repo.path.join(".git"), "trunk"),
        (repo.path.clone(), "v1"),
        (repo.path.clone(), "refs/heads/trunk"),
    ];
    for (path, reference) in places {
        let mut request = sources_support::request(&path, reference);
        request.now = at("2026-05-01T00:00:00Z");
        let again = collect_all(&request).expect("collects");
        assert_eq!(again.content(), first.content(), "{path:?} {reference}");
        assert_eq!(again.report.source_ref, first.report.source_ref);
    }
    let other_node = {
        let mut request = sources_support::request(&repo.path, "trunk");
        request.node_id = "00000000-0000-4000-8000-000000000001".parse().expect("node");
        collect_all(&request).expect("collects")
    };
    assert_ne!(other_node.content(), first.content(), "identities belong to a node");
}

#[test]
fn commits_of_a_history_that_was_merged_in_keep_their_place() {
    let mut library = Repo::new();
    let library_root = library.commit("Lee <lee@x.org>", "library begins\n");
    library.commit("Lee <lee@x.org>", "library goes on\n");
    let alone = library.collect();
    assert_eq!(alone.report.source_ref, format!("git:{library_root}"));

    let mut repo = Repo::new();
    let root = repo.commit("Alice <alice@x.org>", "begins\n");
    git(&repo.path, &["fetch", "-q", library.path.to_str().expect("path"), "main"]);
    let taken = library.tip().expect("tip");
    let merge = repo.merge("Alice <alice@x.org>", &[&taken], "Take over the library\n");
    let found = repo.collect();
    assert_eq!(found.events.len(), 4);
    assert_eq!(found.report.source_ref, format!("git:{root}"));
    assert_eq!(found.event(&format!("git:merge:{merge}")).source_ref, format!("git:{root}"));
    let content = found.content();
    assert!(
        alone.content().iter().all(|hash| content.contains(hash)),
        "the same events as in the library's own"
    );
}

#[test]
fn parents_come_before_children_whatever_their_clocks_say() {
    let repo = Repo::new();
    let commit = |parents: &[&String], seconds: i64| {
        let parents: Vec<String> = parents.iter().map(|&parent| parent.clone()).collect();
        repo.object(
            &parents,
            b"A <a@x.org> 5 +0000",
            &format!("C <c@x.org> {} +0000", NOON + seconds),
            b"m\n",
        )
    };
    let root = commit(&[], 100);
    let other_root = commit(&[], 400);
    let behind = commit(&[&root], 50);
    let ahead = commit(&[&root], 200);
    let merge = commit(&[&behind, &ahead, &other_root], 300);
    git(&repo.path, &["update-ref", "refs/heads/main", &merge]);
    let found = repo.collect();
    let place = |id: &str| found.ids().iter().position(|found| found.ends_with(id)).expect("an event");
    assert!(place(&root) < place(&behind) && place(&root) < place(&ahead));
    assert_eq!(place(&merge), 4);
    assert_eq!(found.event(&format!("git:commit:{other_root}")).source_ref, format!("git:{other_root}"));
    assert_eq!(found.report.source_ref, format!("git:{root}"));
}

#[test]
fn histories_with_sha_256_are_read() {
    let mut repo = Repo::with_format("sha256");
    let id = repo.commit("Alice <alice@x.org>", "one\n\nReviewed-by: Dan <dan@x.org>\n");
    assert_eq!(id.len(), 64);
    assert_eq!(repo.collect().ids(), [format!("git:commit:{id}"), format!("git:review:{id}:1")]);
}

#[test]
fn the_busiest_finished_week_is_the_later_of_equals() {
    let mut repo = Repo::new();
    assert_eq!(
        busiest_finished_week(&repo.path, "main", now()),
        Err(SourceError::ReferenceUnknown { path: repo.path.clone(), reference: "main".to_owned() })
    );
    // Two in the week of 2026-02-23, two in that of 03-02, three in that of now, and bots in that of 03-09.
    for time in
        ["2026-02-24", "2026-03-01", "2026-03-02", "2026-03-08", "2026-03-30", "2026-03-30", "2026-03-31"]
    {
        repo.commit_at(&(at(&format!("{time}T00:00:00Z")).as_ms() / 1_000).to_string());
    }
    let parents: Vec<String> = repo.tip().into_iter().collect();
    let monday = at("2026-03-09T00:00:00Z").as_ms() / 1_000;
    let bot =
        repo.object(&parents, b"x[bot] <x@x.org> 5 +0000", &format!("C <c@x.org> {monday} +0000"), b"b\n");
    git(&repo.path, &["update-ref", "refs/heads/main", &bot]);
    let (week, count) = busiest_finished_week(&repo.path, "main", now()).expect("reads").expect("a week");
    assert_eq!((week.start, week.end, count), (at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"), 2));
    let at_its_end = at("2026-03-02T00:00:00Z");
    let week =
        busiest_finished_week(&repo.path, "main", at_its_end).expect("reads").map(|(week, _)| week.end);
    assert_eq!(week, Some(at_its_end), "a week has ended when its end is now");
    let early = at("2026-03-01T23:59:59.999Z");
    assert_eq!(
        busiest_finished_week(&repo.path, "main", early).expect("reads"),
        None,
        "no week has ended yet"
    );
}
