use sqlx::SqliteConnection;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How many steps of SQLite's machine lie between two questions whether a statement is still wanted.
const STEPS_BETWEEN_CHECKS: i32 = 10_000;

/// Decides on the thread of a connection what is committed there, and notices when a transaction ends.
///
/// ```text
/// the handler, or SQLite      what happens
/// COMMIT                      SQLite asks the gate, which is shut: it rolls back
/// ROLLBACK, an error of       the gate notes the end. What is written behind it would be a transaction of its own, and is
///   SQLite that rolls back      rolled back by the same question
/// the target commits          the gate is open for that statement alone, if no end was noted
/// ```
/// So what a handler writes is kept with the progress of its projection or not at all, whatever statements it runs.
#[derive(Debug, Default)]
pub(super) struct CommitGate {
    is_open: AtomicBool,
    has_ended: AtomicBool,
    is_abandoned: AtomicBool,
}

impl CommitGate {
    /// A gate for a connection that no one uses yet.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Arc<Self>, sqlx::Error> {
        let gate = Arc::new(Self::default());
        let mut handle = connection.lock_handle().await?;
        let asked = Arc::clone(&gate);
        handle.set_commit_hook(move || asked.is_open.load(Ordering::Acquire));
        let noting = Arc::clone(&gate);
        handle.set_rollback_hook(move || noting.has_ended.store(true, Ordering::Release));
        let asked = Arc::clone(&gate);
        let is_wanted = move || !asked.is_abandoned.load(Ordering::Acquire);
        handle.set_progress_handler(STEPS_BETWEEN_CHECKS, is_wanted);
        Ok(gate)
    }

    /// A transaction is about to begin.
    pub(super) fn reset(&self) {
        self.set_open(false);
        self.set_abandoned(false);
        self.has_ended.store(false, Ordering::Release);
    }

    /// Lets commits pass, or refuses them.
    pub(super) fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Release);
    }

    /// Whether a statement that runs is to be interrupted.
    pub(super) fn set_abandoned(&self, is_abandoned: bool) {
        self.is_abandoned.store(is_abandoned, Ordering::Release);
    }

    /// Whether the transaction was rolled back since it began.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}
