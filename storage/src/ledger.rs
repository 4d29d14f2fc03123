//! The handle of a ledger.

use std::fmt;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redb::ReadableDatabase;

use crate::error::{LedgerError, StorageError};
use crate::snapshot::Snapshot;
use crate::table::guard;
use crate::tail::Tail;
use crate::transaction::Transaction;
use crate::writer::{ClosureCommand, Job, Writer};
use crate::writer_counts::{Counters, WriterCounts};

/// An open ledger. Clones share it; the last one to go waits until the writer has ended.
#[derive(Clone)]
pub struct Ledger {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    /// Taken when the last handle goes, which ends the writer.
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

/// What readers and the writer share.
pub(crate) struct Shared {
    /// None only while it is being closed.
    database: RwLock<Option<redb::Database>>,
    /// At least the entries that the newest commit has and its trees lack.
    tail: Mutex<Tail>,
    /// The view that readers share, and how many there have been before it.
    view: Mutex<(u64, Option<Arc<Snapshot>>)>,
    pub(crate) counters: Counters,
}

impl Shared {
    pub(crate) fn new(database: redb::Database, stopwatch: fn() -> Duration) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            tail: Mutex::new(Tail::default()),
            view: Mutex::default(),
            counters: Counters::new(stopwatch),
        }
    }

    /// Shows the tail to new snapshots. Before a commit it must hold the entries of that commit too, and what a commit
    /// folds may leave it only afterwards: then every snapshot finds its entries, and leaves out those beyond its size.
    pub(crate) fn publish(&self, tail: Tail) {
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = tail;
    }

    /// Does something with the database.
    pub(crate) fn with_database<T>(
        &self,
        action: impl FnOnce(&redb::Database) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| StorageError::internal("the database is closed"))?;
        guard("file", || action(database))
    }

    /// Does something with the database alone.
    fn with_database_alone<T>(
        &self,
        action: impl FnOnce(&mut redb::Database) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_mut().ok_or_else(|| StorageError::internal("the database is closed"))?;
        self.forget_view();
        guard("file", || action(database))
    }

    /// Ends the view that readers share: a commit has made a newer one, or the database is needed alone. Nothing may
    /// keep it longer, or no page that is freed from then on could be used again.
    pub(crate) fn forget_view(&self) {
        let mut shared = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = (shared.0.wrapping_add(1), None);
    }

    pub(crate) fn view(&self) -> Result<Arc<Snapshot>, StorageError> {
        let number = {
            let shared = self.view.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(view) = &shared.1 {
                return Ok(Arc::clone(view));
            }
            shared.0
        };
        // Not under the lock, which whoever has the database alone waits for.
        let view = Arc::new(self.snapshot()?);
        let mut shared = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.0 == number {
            shared.1 = Some(Arc::clone(&view));
        }
        Ok(view)
    }

    /// Gives unused pages back, where no reader holds any.
    pub(crate) fn compact(&self) -> Result<bool, StorageError> {
        self.with_database_alone(|database| {
            database.compact().map_err(|error| match error {
                redb::CompactionError::TransactionInProgress => StorageError::Busy { action: "compact" },
                other => StorageError::of_redb("compact", other),
            })
        })
    }

    /// Checks all pages, where no reader holds any.
    pub(crate) fn check_pages(&self) -> Result<bool, StorageError> {
        self.with_database_alone(|database| {
            database.check_integrity().map_err(|error| match error {
                redb::DatabaseError::TransactionInProgress => {
                    StorageError::Busy { action: "check the pages" }
                }
                other => StorageError::of_redb("check the pages", other),
            })
        })
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, StorageError> {
        let published = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = self.with_database(|database| {
            database.begin_read().map_err(|error| StorageError::of_redb("begin to read", error))
        })?;
        Ok(Snapshot::new(inner, published.clone()))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.forget_view();
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // Closing writes what makes the next opening quick, and on damaged pages redb may panic there. Nothing durable
        // depends on it, and nobody is left to be told.
        let _ = guard("file", || {
            drop(database);
            Ok(())
        });
    }
}

impl Ledger {
    pub(crate) fn start(writer: Writer) -> Result<Self, StorageError> {
        let shared = Arc::clone(&writer.shared);
        let (jobs, waiting) = mpsc::channel();
        let thread = thread::Builder::new().name("ledger-writer".to_owned());
        let thread = thread.spawn(move || writer.work(&waiting)).map_err(|error| StorageError::Io {
            action: "start the writer's thread".to_owned(),
            source: Arc::new(error),
        })?;
        let handle = Handle { shared, jobs: Some(jobs), writer: Some(thread) };
        Ok(Self { handle: Arc::new(handle) })
    }

    /// A view of what is durable now.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.handle.shared.snapshot()
    }

    /// The view of what is durable now that all short reads share until the next commit: to begin one of its own, and
    /// to open its tables, takes longer than many a read. Hold it shortly.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn view(&self) -> Result<Arc<Snapshot>, StorageError> {
        self.handle.shared.view()
    }

    /// Runs a command in the writer and waits until what it did is durable.
    ///
    /// The closure reads and decides first and writes then: it may refuse only before its first write. It shares its
    /// transaction with other waiting commands, whose writes it sees.
    ///
    /// # Errors
    /// What the closure refuses or fails with; [`StorageError::GroupUndone`] where another command of the group failed;
    /// [`StorageError::WriterStopped`] after a failed commit.
    pub fn run<T, F>(&self, command: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction) -> Result<T, LedgerError> + Send + 'static,
    {
        let (sender, answer) = mpsc::sync_channel(1);
        self.submit(command, move |result| {
            // Nobody waits any more where this fails.
            let _ = sender.send(result);
        });
        answer.recv().unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Hands a command to the writer and returns at once; `reply` is called in the writer's thread when the command is
    /// durable, refused or failed, and must not block.
    pub fn submit<T, F, R>(&self, command: F, reply: R)
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction) -> Result<T, LedgerError> + Send + 'static,
        R: FnOnce(Result<T, LedgerError>) + Send + 'static,
    {
        self.submit_always(
            move |transaction: &mut Transaction| {
                transaction.check_not_restored()?;
                transaction.signer.check_can_sign()?;
                command(transaction)
            },
            reply,
        );
    }

    /// As [`Ledger::run`], also while the ledger is restored and unconfirmed.
    pub(crate) fn run_always<T, F>(&self, command: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction) -> Result<T, LedgerError> + Send + 'static,
    {
        let (sender, answer) = mpsc::sync_channel(1);
        self.submit_always(command, move |result| {
            let _ = sender.send(result);
        });
        answer.recv().unwrap_or_else(|_| Err(stopped().into()))
    }

    /// Runs something in the writer's thread between two groups, and waits for it.
    pub(crate) fn run_alone<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> Result<T, StorageError> + Send + 'static,
    {
        let (sender, answer) = mpsc::sync_channel(1);
        self.send(Job::Alone(Box::new(move |writer| {
            let _ = sender.send(work(writer));
        })));
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// As [`Ledger::submit`], also while the ledger is restored and unconfirmed.
    pub(crate) fn submit_always<T, F, R>(&self, command: F, reply: R)
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction) -> Result<T, LedgerError> + Send + 'static,
        R: FnOnce(Result<T, LedgerError>) + Send + 'static,
    {
        let command = ClosureCommand { closure: Some(command), answer: None, reply };
        self.send(Job::Command(Box::new(command)));
    }

    /// What the writer has done since the ledger was opened.
    pub fn writer_counts(&self) -> WriterCounts {
        self.handle.shared.counters.read()
    }

    /// Whether the writer takes commands: one that does nothing goes through it.
    ///
    /// # Errors
    /// [`StorageError::WriterStopped`] after a failed commit.
    pub fn check_writer(&self) -> Result<(), StorageError> {
        self.run_alone(|writer| writer.check_running())
    }

    fn send(&self, job: Job) {
        self.handle.shared.counters.submit();
        let sent = match &self.handle.jobs {
            Some(jobs) => jobs.send(job).map_err(|error| error.0),
            None => Err(job),
        };
        if let Err(Job::Command(command)) = sent {
            command.reply(Some(stopped()));
        }
    }
}

fn stopped() -> StorageError {
    StorageError::WriterStopped { reason: "its thread has ended".to_owned() }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.jobs = None;
        let Some(writer) = self.writer.take() else { return };
        // A command may hold the last handle; its thread cannot wait for itself.
        if writer.thread().id() != thread::current().id() {
            // A panic of the writer has been answered with an error already.
            let _ = writer.join();
        }
    }
}
