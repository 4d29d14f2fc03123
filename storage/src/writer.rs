//! The one writer: a thread that runs waiting commands as a group, makes the group durable, and then replies.
//!
//! Two classes of failure: a command that fails undoes its group, and the writer goes on; a failed commit or a failed
//! read or write of the file leaves the state on disk unknown, and the writer stops for good.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

use crate::error::{LedgerError, StorageError};
use crate::fold::read_filter;
use crate::ledger::Shared;
use crate::log_edges::LogEdges;
use crate::meta::{NodeRecord, Signer};
use crate::table::panic_text;
use crate::tail::WriterTail;
use crate::transaction::Transaction;

/// Most commands of one group.
const GROUP_COMMANDS_MAX: usize = 1_024;

/// Events after which a group takes no further command.
const GROUP_EVENTS_MAX: usize = 10_000;

/// Work for the writer.
pub(crate) enum Job {
    /// A command that joins a group.
    Command(Box<dyn Command>),
    /// Something that needs the writer alone, between two groups.
    Alone(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// A closure with its reply, its types forgotten.
pub(crate) trait Command: Send {
    /// Runs the closure and keeps its answer.
    fn execute(&mut self, transaction: &mut Transaction) -> Verdict;

    /// Sends the answer, or `failure` in its place.
    fn reply(self: Box<Self>, failure: Option<StorageError>);
}

/// What came of running a command.
pub(crate) enum Verdict {
    /// It was done, or refused without a write: the group goes on.
    Kept,
    /// The group cannot be committed.
    Failed(StorageError),
}

/// A command made of a closure.
pub(crate) struct ClosureCommand<T, F, R> {
    pub(crate) closure: Option<F>,
    pub(crate) answer: Option<Result<T, LedgerError>>,
    pub(crate) reply: R,
}

impl<T, F, R> Command for ClosureCommand<T, F, R>
where
    T: Send,
    F: FnOnce(&mut Transaction) -> Result<T, LedgerError> + Send,
    R: FnOnce(Result<T, LedgerError>) + Send,
{
    fn execute(&mut self, transaction: &mut Transaction) -> Verdict {
        let Some(closure) = self.closure.take() else {
            return Verdict::Failed(StorageError::internal("a command ran twice"));
        };
        transaction.begin_command();
        match catch_unwind(AssertUnwindSafe(|| closure(transaction))) {
            Err(payload) => Verdict::Failed(StorageError::internal(format!(
                "a command panicked: {}",
                panic_text(&*payload)
            ))),
            Ok(Err(LedgerError::Storage(error))) => Verdict::Failed(error),
            Ok(Err(LedgerError::Rejected(rejection))) if transaction.command_wrote() => Verdict::Failed(
                StorageError::internal(format!("a command was refused after it had written: {rejection}")),
            ),
            Ok(answer) => {
                self.answer = Some(answer);
                Verdict::Kept
            }
        }
    }

    fn reply(self: Box<Self>, failure: Option<StorageError>) {
        let answer = match (failure, self.answer) {
            (Some(error), _) => Err(error.into()),
            (None, Some(answer)) => answer,
            (None, None) => Err(StorageError::internal("a command gave no answer").into()),
        };
        (self.reply)(answer);
    }
}

/// The writer's own state: what is durable, in the form in which the next group needs it.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: NodeRecord,
    pub(crate) signer: Signer,
    pub(crate) edges: LogEdges,
    pub(crate) tail: WriterTail,
    /// How many entries the tail may hold.
    fold_events: usize,
    stopped: Option<String>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        node: NodeRecord,
        signer: Signer,
        edges: LogEdges,
        fold_events: usize,
    ) -> Self {
        Self { shared, node, signer, edges, tail: WriterTail::default(), fold_events, stopped: None }
    }

    /// The same with the tail that was read from the log.
    pub(crate) fn with_tail(mut self, tail: WriterTail) -> Self {
        self.shared.publish(tail.tail.clone());
        self.tail = tail;
        self
    }

    /// Works until every handle of the ledger is gone.
    pub(crate) fn work(mut self, jobs: &Receiver<Job>) {
        let mut waiting = VecDeque::new();
        while let Ok(first) = jobs.recv() {
            waiting.push_back(first);
            while waiting.len() < GROUP_COMMANDS_MAX {
                match jobs.try_recv() {
                    Ok(job) => waiting.push_back(job),
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.work_off(&mut waiting);
        }
    }

    fn work_off(&mut self, waiting: &mut VecDeque<Job>) {
        let mut commands = VecDeque::new();
        while let Some(job) = waiting.pop_front() {
            self.shared.counters.take();
            match job {
                Job::Command(command) => commands.push_back(command),
                Job::Alone(work) => {
                    self.run_commands(&mut commands);
                    work(self);
                }
            }
        }
        self.run_commands(&mut commands);
        self.fold_when_due();
    }

    /// Folds a tail that has grown long, after the commands that made it so have their replies.
    fn fold_when_due(&mut self) {
        if self.tail.entries() < self.fold_events.max(1) || self.check_running().is_err() {
            return;
        }
        // A failure has been noted by `fold` where it matters; the next group tries again.
        let _ = self.fold();
    }

    /// Folds the whole tail.
    pub(crate) fn fold(&mut self) -> Result<(), StorageError> {
        let mut tail = self.tail.tail.clone();
        if tail.lacks_filter() {
            tail = tail.with_filter(read_filter(&self.shared.snapshot()?)?);
        }
        // The filter has the ids before their index has them, so that no view misses one there.
        self.tail.replace(tail.with_own_ids_filtered());
        self.shared.publish(self.tail.tail.clone());
        let mut transaction = self.begin()?;
        // The snapshot goes before the commit: one that lived on would keep the pages from use that this frees.
        let folded = self.shared.snapshot().and_then(|before| transaction.fold(&before));
        if let Err(error) = folded {
            self.undo(transaction, &error);
            return Err(error);
        }
        self.finish(transaction)?;
        self.tail.clear();
        self.shared.publish(self.tail.tail.clone());
        Ok(())
    }

    fn run_commands(&mut self, commands: &mut VecDeque<Box<dyn Command>>) {
        while !commands.is_empty() {
            if let Err(error) = self.check_running() {
                for command in commands.drain(..) {
                    command.reply(Some(error.clone()));
                }
                return;
            }
            self.run_group(commands);
        }
    }

    /// Runs one group: all the commands, or those up to one that fails.
    fn run_group(&mut self, commands: &mut VecDeque<Box<dyn Command>>) {
        let mut transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(error) => {
                self.stop(&error);
                return;
            }
        };
        let mut done: Vec<Box<dyn Command>> = Vec::new();
        while let Some(mut command) =
            commands.pop_front_if(|_| transaction.tail.staged_entries() < GROUP_EVENTS_MAX)
        {
            match command.execute(&mut transaction) {
                Verdict::Kept => done.push(command),
                Verdict::Failed(error) => {
                    self.undo(transaction, &error);
                    command.reply(Some(error.clone()));
                    reply_undone(done, &error);
                    return;
                }
            }
        }
        let outcome = self.finish(transaction).err();
        for command in done {
            command.reply(outcome.clone());
        }
    }

    /// Begins a write transaction on what is durable.
    pub(crate) fn begin(&mut self) -> Result<Transaction, StorageError> {
        let inner = self.shared.with_database(|database| {
            let begun = database.begin_write();
            let mut inner = begun.map_err(|error| StorageError::of_redb("begin a transaction", error))?;
            inner.set_two_phase_commit(true);
            // Without it, opening after a crash walks the whole file.
            inner.set_quick_repair(true);
            Ok(inner)
        })?;
        let tail = std::mem::take(&mut self.tail);
        Ok(Transaction::new(inner, self.node.clone(), self.signer.clone(), self.edges.clone(), tail))
    }

    /// Makes a transaction durable and takes over its state; one that wrote nothing is simply dropped.
    pub(crate) fn finish(&mut self, mut transaction: Transaction) -> Result<(), StorageError> {
        if !transaction.wrote() {
            self.tail = std::mem::take(&mut transaction.tail);
            return transaction.abort();
        }
        if let Err(error) = transaction.settle_logs() {
            self.undo(transaction, &error);
            return Err(error);
        }
        let mut tail = std::mem::take(&mut transaction.tail);
        let (node, edges) = (transaction.node.clone(), transaction.edges.clone());
        if tail.staged_entries() > 0 {
            self.shared.publish(tail.tail.clone());
        }
        let began = self.shared.counters.watch();
        if let Err(error) = transaction.commit() {
            self.stop(&error);
            return Err(error);
        }
        // Before any reply: whoever was told of a commit must see it.
        self.shared.forget_view();
        self.shared.counters.commit(began);
        tail.keep();
        self.tail = tail;
        self.node = node;
        self.edges = edges;
        Ok(())
    }

    /// Undoes a transaction because of `error`.
    pub(crate) fn undo(&mut self, mut transaction: Transaction, error: &StorageError) {
        self.tail = std::mem::take(&mut transaction.tail);
        self.tail.undo();
        let undone = transaction.abort();
        if error.stops_the_writer() {
            self.stop(error);
        } else if let Err(error) = undone {
            self.stop(&error);
        }
    }

    /// Whether the writer still takes work.
    pub(crate) fn check_running(&self) -> Result<(), StorageError> {
        match &self.stopped {
            None => Ok(()),
            Some(reason) => Err(StorageError::WriterStopped { reason: reason.clone() }),
        }
    }

    /// Stops after a failure that leaves the state on disk unknown.
    pub(crate) fn note_failure(&mut self, error: &StorageError) {
        if error.stops_the_writer() {
            self.stop(error);
        }
    }

    fn stop(&mut self, error: &StorageError) {
        self.stopped.get_or_insert_with(|| error.to_string());
    }
}

fn reply_undone(done: Vec<Box<dyn Command>>, error: &StorageError) {
    for command in done {
        command.reply(Some(StorageError::GroupUndone { reason: error.to_string() }));
    }
}
