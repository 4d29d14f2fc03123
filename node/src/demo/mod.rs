//! `meed demo`: a whole epoch on a real repository, through the same router, signer and verifier as everything else.

mod serve;
mod show;
mod stage;
mod tamper;

use std::path::{Path, PathBuf};

use meed_audit::allocation::Allocation;
use meed_audit::time::Timestamp;
use serde::Serialize;

use crate::api::documents::{
    ActivityItem, AllocationRequest, AllocationsView, ApproversRequest, ApproversView, CloseRequest,
    CollectRequest, CollectView, DecisionView, DraftView, EpochView, FinalView, FreezeRequest, OpenRequest,
    ScopeRequest, ScopeView, SignaturesView,
};
use crate::cli::args::DemoArgs;
use crate::cli::console::Console;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::words::Names;
use crate::{clock, files, sign, verify_command};
use files::Access;
use stage::{Play, Stage};

/// The folder of the demo where nothing else is said.
const DEFAULT_FOLDER: &str = "meed-demo";
const SCOPE: &str = "default";
const BASE_ISSUANCE: &str = "10000";
const APPROVERS: [&str; 3] = ["alice", "bob", "carol"];
const THRESHOLD: u8 = 2;
const EPOCH: &str = "/scopes/default/epochs/1";
const OVERRIDE_REASON: &str = "demo: also reviewed by hand, which git does not show";
/// What the demo's override adds, in milli-units.
const OVERRIDE_EXTRA: u128 = 500;

/// What the demo did, for `--json`.
#[derive(Debug, Serialize)]
struct DemoAnswer {
    data: String,
    repository: String,
    period_start: Timestamp,
    period_end: Timestamp,
    closed_early: bool,
    statement: String,
    pool: String,
    distributed: String,
    undistributed: String,
    allocations: Vec<Allocation>,
    proof: String,
    trust: String,
    tampered_link: String,
    verified: bool,
}

/// Runs `meed demo`.
///
/// # Errors
/// Where the folder cannot be written or the repository not be read; never half: what fails says so.
pub fn run(args: &DemoArgs, data: Option<&Path>, console: Console) -> Result<(), Failure> {
    let folder = fresh_folder(data, console)?;
    let now = clock::now()?;
    let stage = Stage::set(&folder, args.repo.as_deref(), now, console)?;
    let answer = play(&stage, console)?;
    if console.is_json() {
        console.answer(&answer, String::new)?;
    }
    match args.serve {
        None => Ok(()),
        Some(address) => serve::run(stage, address, console),
    }
}

/// A folder that is not there yet: the one that is asked for, or the next free number after it.
fn fresh_folder(data: Option<&Path>, console: Console) -> Result<PathBuf, Failure> {
    let wanted = data.map_or_else(|| PathBuf::from(DEFAULT_FOLDER), Path::to_path_buf);
    let is_free = |path: &Path| std::fs::symlink_metadata(path).is_err();
    if is_free(&wanted) {
        return Ok(wanted);
    }
    let numbered = |number: u32| {
        let mut name = wanted.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    };
    let free =
        (2..10_000).map(numbered).find(|path| is_free(path)).ok_or_else(|| Failure::exists(&wanted))?;
    console.notice(format!(
        "notice: {} is there already; this run uses {}",
        wanted.display(),
        free.display()
    ));
    Ok(free)
}

fn play(stage: &Stage, console: Console) -> Result<DemoAnswer, Failure> {
    let (client, play) = (&stage.client, &stage.play);
    let story = show::Story::new(console);
    story.scene(&format!("A node in {}, with 2-of-3 approvers", stage.folder.display()))?;
    set_up(stage)?;
    story.line(
        "What any two of alice, bob and carol sign is final. Here their keys lie in the same folder;\n\
         in earnest each approver keeps their own, and never on the node.",
    )?;
    story.scene(&stage.repository_line())?;
    let collected = collect(client, stage)?;
    story.line(&show::collected(&collected, play))?;
    let activity: Vec<ActivityItem> = client.all(&format!("{EPOCH}/activity"))?;
    let names = Names::of(&activity, &[]);
    let proposed: AllocationsView = client.get(&format!("{EPOCH}/allocations?limit=10000"))?;
    story.scene("Proposed by activity alone")?;
    story.line("Each type of event weighs so many units, and the pool is split in proportion to units.")?;
    story.line(&show::payout_table(&proposed, &names, "would pay"))?;
    let claimant = decide(client, &proposed, &story)?;
    story.scene("Close, freeze, sign, finalize")?;
    let last = finalize(stage, &story)?;
    let paid: AllocationsView = client.get(&format!("{EPOCH}/allocations?limit=10000"))?;
    let files = prove(stage, claimant.as_deref())?;
    let (report, tampered_link) = check(&files, &story)?;
    story.scene("What everybody gets")?;
    story.line(&show::payout_table(&paid, &names, "paid"))?;
    story.line(&show::ending(stage, &files, &report))?;
    Ok(answer(stage, last, paid, &files, tampered_link))
}

fn answer(
    stage: &Stage,
    last: FinalView,
    paid: AllocationsView,
    files: &ProofFiles,
    tampered_link: String,
) -> DemoAnswer {
    DemoAnswer {
        data: stage.folder.display().to_string(),
        repository: stage.repository.display().to_string(),
        period_start: stage.play.period.start,
        period_end: stage.play.period.end,
        closed_early: stage.play.early,
        statement: last.origin,
        pool: paid.pool_total.to_string(),
        distributed: last.distributed.to_string(),
        undistributed: last.undistributed.to_string(),
        allocations: paid.items,
        proof: files.proof.display().to_string(),
        trust: files.trust.display().to_string(),
        tampered_link,
        verified: true,
    }
}

fn set_up(stage: &Stage) -> Result<(), Failure> {
    let client = &stage.client;
    let scope = ScopeRequest {
        key: SCOPE.to_owned(),
        unit: None,
        decimals: 0,
        unlinked: meed_audit::policy::Unlinked::Claim,
        weights: None,
        window_days: 7,
        base_issuance: Some(BASE_ISSUANCE.to_owned()),
    };
    let _: ScopeView = client.post("/scopes", &scope)?;
    let approvers = ApproversRequest { threshold: THRESHOLD, keys: stage.approver_keys()? };
    let _: ApproversView = client.post("/scopes/default/approvers", &approvers)?;
    let at = OpenRequest { at: stage.play.period.start.to_string(), skip: 0, ahead: false };
    let _: EpochView = client.post("/scopes/default/epochs", &at)?;
    Ok(())
}

fn collect(client: &Client, stage: &Stage) -> Result<CollectView, Failure> {
    let Some(git) = stage.repository.to_str() else {
        return Err(Failure::usage("expected a path in UTF-8", "rename the folder, or use a link to it"));
    };
    let request = CollectRequest { git: Some(git.to_owned()), ..CollectRequest::default() };
    client.post("/scopes/default/collect", &request)
}

/// One override with a reason: the claimant of fewest units gets half a unit more. Nobody, in an empty week.
fn decide(
    client: &Client,
    proposed: &AllocationsView,
    story: &show::Story,
) -> Result<Option<String>, Failure> {
    let Some(least) = proposed.items.iter().min_by_key(|allocation| allocation.final_units) else {
        return Ok(None);
    };
    let units = least.final_units.value().saturating_add(OVERRIDE_EXTRA).to_string();
    let claimant = least.claimant.to_string();
    let request = AllocationRequest {
        claimant: claimant.clone(),
        units: Some(units),
        withdraw: false,
        reason: OVERRIDE_REASON.to_owned(),
    };
    let made: DecisionView = client.patch(&format!("{EPOCH}/allocations"), &request)?;
    story.scene("One decision by a person, recorded with its reason")?;
    story.line(&show::decision(&made))?;
    Ok(Some(claimant))
}

fn finalize(stage: &Stage, story: &show::Story) -> Result<FinalView, Failure> {
    let client = &stage.client;
    let Play { early, .. } = stage.play;
    let reason = early.then(|| "demo: no week of this repository has finished yet".to_owned());
    let closed: EpochView =
        client.post(&format!("{EPOCH}/close"), &CloseRequest { early: reason, ..CloseRequest::default() })?;
    let note = if early { " early, since no week with activity has finished yet" } else { "" };
    story.line(&format!(
        "closed{note}: {} events and the pool are fixed; the epoch is in review",
        closed.events
    ))?;
    let draft: DraftView = client.post(&format!("{EPOCH}/drafts"), &FreezeRequest::default())?;
    story.line(&format!(
        "frozen: a draft of the statement, the text to sign; its SHA-256 is\n  {}",
        draft.text_hash
    ))?;
    let dossier = stage.folder.join("epoch-1.dossier");
    files::write_new(&dossier, &client.bytes(&format!("{EPOCH}/dossier"))?, Access::Umask)?;
    for name in APPROVERS.iter().take(usize::from(THRESHOLD)) {
        let made = sign::make(&stage.sign_args(&dossier, name), Console::new(false).quiet())?;
        let line = format!("{}\n", made.signature);
        let _: SignaturesView = client.post_bytes(&format!("{EPOCH}/signatures"), line.into_bytes())?;
        story
            .line(&format!("signed by {name}, who computed every amount again from {}", dossier.display()))?;
    }
    let last: FinalView = client.post(&format!("{EPOCH}/finalize"), &serde_json::json!({}))?;
    story.line(&format!("finalized: {}, entry {} of the statements log", last.origin, last.log_index))?;
    Ok(last)
}

/// Where the demo put what a contributor needs.
pub(crate) struct ProofFiles {
    proof: PathBuf,
    trust: PathBuf,
}

fn prove(stage: &Stage, claimant: Option<&str>) -> Result<ProofFiles, Failure> {
    // In an empty week nobody is paid, and what can be proven is that.
    let claimant = claimant.unwrap_or("identity:github:1");
    let proof = stage.folder.join("demo.payout.json");
    let trust = stage.folder.join("trust.toml");
    let bytes = stage.client.bytes(&format!("{EPOCH}/proofs/{}", segment(claimant)))?;
    files::write_new(&proof, &bytes, Access::Umask)?;
    files::write_new(&trust, &stage.client.bytes("/scopes/default/trust")?, Access::Umask)?;
    Ok(ProofFiles { proof, trust })
}

/// The written files verify; the same proof with one changed digit does not.
fn check(files: &ProofFiles, story: &show::Story) -> Result<(verify_command::Report, String), Failure> {
    let bytes = files::read_bounded(&files.proof, meed_audit::proof::PROOF_BYTES_MAX)?;
    let trust = files::read_text(&files.trust, meed_audit::trust::TRUST_BYTES_MAX)?;
    story.scene("Verify the proof, offline")?;
    let (report, failure) = verify_command::check(&bytes, &trust)?;
    story.line(&verify_command::describe(&report))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    story.scene("The same proof with one changed digit")?;
    let (forged, from, to) = tamper::change_a_digit(&bytes)?;
    let (forged_report, refusal) = verify_command::check(&forged, &trust)?;
    let failed = forged_report.links.last().filter(|link| !link.ok);
    let (Some(link), Some(_)) = (failed, refusal) else {
        return Err(Failure::internal("a proof with a changed digit was verified"));
    };
    story.line(&format!("{from} becomes {to}: refused at the link {}: {}", link.link, link.says))?;
    Ok((report, link.link.to_owned()))
}
