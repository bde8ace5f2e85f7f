use super::super::StoreError;
use super::{ProgressChange, ProgressStore, SaveError};
use std::{error::Error, future::Future, sync::Arc, time::Duration};

/// A database that holds what a projection writes and, in the same transaction, how far it has come.
///
/// # Contract
/// * [`commit`](Self::commit) keeps the rows that were written through the transaction's connection and the change, or
///   neither. Where the transaction was ended by the database or the handler meanwhile, also when no error of it was
///   passed on, it is [`SaveError::Broken`] and the change is not kept.
/// * The epoch is checked as [`ProgressStore`] has it, and so late that a transaction that is open does not keep another
///   runner from claiming the segment.
/// * A transaction that is dropped is rolled back. No connection with an open transaction, or with anything else of a
///   handler's on it, is given to anyone else.
pub trait ExactTarget: Clone + Send + Sync + 'static {
    /// What a handler writes through.
    type Connection: Send;
    /// An open transaction.
    type Tx: Send + 'static;

    /// Where the progress is kept.
    fn progress(&self) -> Arc<dyn ProgressStore>;

    /// Begins a transaction. One whose process does not go on may be rolled back by the database after `open_max`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached.
    fn begin(
        &self,
        open_max: Duration,
    ) -> impl Future<Output = Result<Self::Tx, StoreError>> + Send;

    /// Begins a transaction that creates what a projection writes to, if it is not there. Processes that start together do so
    /// one after the other where the database does not see to that itself.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn begin_set_up(
        &self,
        open_max: Duration,
    ) -> impl Future<Output = Result<Self::Tx, StoreError>> + Send {
        self.begin(open_max)
    }

    /// What a handler writes through.
    fn connection(tx: &mut Self::Tx) -> &mut Self::Connection;

    /// Commits the transaction with a change of progress.
    ///
    /// # Errors
    /// [`SaveError::Stale`] and [`SaveError::Broken`]: nothing was kept. [`StoreError::OutcomeUnknown`]: either may be so.
    fn commit(
        &self,
        tx: Self::Tx,
        change: &ProgressChange,
    ) -> impl Future<Output = Result<(), SaveError>> + Send;

    /// Rolls the transaction back.
    fn rollback(&self, tx: Self::Tx) -> impl Future<Output = ()> + Send;

    /// Whether an error of a handler says that the database cannot be reached, refuses at the moment, or has not what the
    /// handler writes to, such as a table that is yet to be created, and nothing of the event: trying again later may help.
    fn is_unavailable(error: &(dyn Error + 'static)) -> bool;
}
