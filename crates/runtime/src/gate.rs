use crate::{
    health::HealthRecord,
    partition::{PartitionHandles, PartitionMessage, PartitionState},
    settings::ObserverRef,
    streams::{StreamAppends, is_of_stream},
};
use actum_host::{
    Failure, Load, Moment, Observer,
    cell::{GivenUp, Ticket},
    partition::Refuses,
};
use actum_model::Partition;
use actum_persistence::{
    commits::{JournalRegress, StatesRegress},
    error_chain::full_text,
    group_commit::{CommitError, CommitSink, Committed, CommittedBatch, WriterScope},
    panics::log_safely,
    store::{Incarnation, StoreError},
};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

const FENCED: GivenUp = GivenUp::because("fenced: another engine has taken over the journal");
const REPLACED: GivenUp =
    GivenUp::because("fenced: another process runs under the name of this node");
const REMOVED: &str = "this node was removed from the cluster, and joins again";
const FAILED: GivenUp =
    GivenUp::because("the engine has failed, see its log; it must be started again");

/// Opens and closes the engine to commands and to appends to streams, and takes commits to those they are for.
pub(crate) struct Gate {
    partitions: Arc<PartitionHandles>,
    streams: Arc<StreamAppends>,
    closed: AtomicBool,
    fenced: watch::Sender<bool>,
    /// Whether the engine is that of a cluster's node: it may join again after it was fenced.
    is_member: bool,
    /// Another process runs as this node.
    replaced: watch::Sender<bool>,
    failed: OnceLock<&'static str>,
    health: HealthRecord,
    lost: watch::Sender<Option<StoreError>>,
    observer: Option<ObserverRef>,
}

impl Gate {
    pub(crate) fn new(
        partitions: Arc<PartitionHandles>,
        streams: Arc<StreamAppends>,
        observer: Option<ObserverRef>,
    ) -> Self {
        let ((fenced, _), (lost, _)) = (watch::channel(false), watch::channel(None));
        let (replaced, _) = watch::channel(false);
        Self {
            partitions,
            streams,
            closed: AtomicBool::new(false),
            fenced,
            is_member: false,
            replaced,
            failed: OnceLock::new(),
            lost,
            health: HealthRecord::default(),
            observer,
        }
    }

    /// That of a cluster's node: one that is fenced waits for its node to join again.
    pub(crate) fn of_member(self) -> Self {
        Self { is_member: true, ..self }
    }

    fn observe(&self, show: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.observer {
            show(&**observer);
        }
    }

    /// Refuses commands and appends for good.
    pub(crate) fn close(&self, failure: &Failure) {
        self.closed.store(true, Ordering::Release);
        self.streams.close(failure.clone());
        self.inboxes().for_each(|inbox| inbox.close(failure.clone()));
    }

    /// Whether commands are refused for good: no partition is started any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Refuses commands until [`Gate::reopen`]. Appends to streams look at the term by themselves.
    pub(crate) fn suspend(&self, failure: &Failure) {
        self.inboxes().for_each(|inbox| inbox.suspend(failure.clone()));
    }

    /// Takes commands again, unless the gate is closed. Which of the two comes first makes no difference.
    pub(crate) fn reopen(&self) {
        self.inboxes().for_each(|inbox| inbox.reopen());
    }

    /// Another writer has taken over: nothing this engine holds in memory may be shown any more.
    pub(crate) fn fence(&self, incarnation: Incarnation) {
        if self.fenced.send_replace(true) {
            return;
        }
        if self.is_member {
            log_safely(
                || tracing::warn!(%incarnation, "fenced, this node was removed from the cluster"),
            );
            self.suspend(&Failure::unavailable(REMOVED));
        } else {
            log_safely(|| {
                tracing::error!(%incarnation, "fenced, another writer has taken over the journal");
            });
            self.abandon(&FENCED);
        }
        self.observe(|observer| observer.fenced(incarnation));
    }

    /// The membership of a cluster's node has ended.
    pub(crate) fn end_membership(&self, failure: &Failure) {
        self.fenced.send_replace(true);
        self.suspend(failure);
    }

    /// The node has joined again.
    pub(crate) fn begin_membership(&self) {
        self.fenced.send_replace(false);
    }

    /// Another process has taken the place of this node for good.
    pub(crate) fn replaced(&self) {
        self.fenced.send_replace(true);
        self.replaced.send_replace(true);
        self.abandon(&REPLACED);
    }

    /// Whether it was fenced, and does not go on by itself.
    pub(crate) fn is_over(&self) -> bool {
        if self.is_member { *self.replaced.borrow() } else { self.is_fenced() }
    }

    /// The engine cannot go on: `what` has ended that it cannot do without. Every command is refused from now on, and
    /// all callers who wait are answered at once.
    pub(crate) fn fail(&self, what: &'static str) {
        if self.failed.set(what).is_err() {
            return;
        }
        log_safely(|| tracing::error!(what, "engine failed, it serves nothing any more"));
        self.abandon(&FAILED);
        self.give_up(&FAILED);
    }

    /// Why the engine cannot go on, if it has failed: what has ended, or what has happened to its store.
    pub(crate) fn failed(&self) -> Option<String> {
        let ended = self.failed.get().map(|what| format!("{what} has ended"));
        ended.or_else(|| self.lost.borrow().as_ref().map(|error| full_text(error)))
    }

    /// Refuses commands from now on, and fails those that were taken, for the same reason.
    fn abandon(&self, why: &GivenUp) {
        self.close(&why.failure(false));
        self.streams.abandon(why);
        for partition in &*self.partitions {
            partition.send(PartitionMessage::Abandon(why.clone()));
        }
        self.clear();
    }

    /// The journal has lost events: what is in memory may be made of them, so all entities recover again.
    pub(crate) fn regress(&self, regress: JournalRegress) {
        log_safely(|| {
            tracing::error!(%regress, "the journal has regressed, entities recover again from what is left");
        });
        self.recover_all();
        self.observe(|observer| observer.journal_regressed(regress));
    }

    /// As [`Self::regress`], of durable states.
    pub(crate) fn states_regress(&self, regress: StatesRegress) {
        log_safely(|| {
            tracing::error!(%regress, "durable states have regressed, entities recover again from what is left");
        });
        self.recover_all();
        self.observe(|observer| observer.states_regressed(regress));
    }

    fn recover_all(&self) {
        self.partitions.iter().for_each(|partition| partition.note_regression());
    }

    /// The store is lost: what this engine holds in memory may be in no file any more, and nothing can be written.
    pub(crate) fn lose(&self, error: &StoreError) {
        if self.lost.send_replace(Some(error.clone())).is_some() {
            return;
        }
        log_safely(|| tracing::error!(%error, "store lost, the engine serves nothing any more"));
        self.abandon(&GivenUp::of_store(error.clone()));
    }

    /// Waits until the store is lost, as a rule for ever, and says what has happened to it.
    pub(crate) async fn lost(&self) -> StoreError {
        let mut lost = self.lost.subscribe();
        match lost.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            _ => unreachable!("the sender is in `self`, and waits for nothing else"),
        }
    }

    /// Answers the commands that no partition will take any more with what the gate was closed with, and says how many. To be
    /// called after the gate is closed.
    pub(crate) fn clear(&self) -> usize {
        self.inboxes().map(|inbox| inbox.clear()).sum()
    }

    /// Ends all waits for partitions that will not answer, and lets them begin nothing any more. Says how many commands
    /// they hold that were not answered.
    pub(crate) fn give_up(&self, why: &GivenUp) -> usize {
        self.partitions.iter().map(|partition| partition.give_up(why)).sum()
    }

    pub(crate) fn is_fenced(&self) -> bool {
        *self.fenced.borrow()
    }

    /// Waits until another writer has taken over; as a rule for ever.
    pub(crate) async fn fenced(&self) {
        let mut fenced = self.fenced.subscribe();
        // the sender is in `self`
        let _ = fenced.wait_for(|fenced| *fenced).await;
    }

    /// Waits until it was fenced and does not go on by itself; as a rule for ever.
    pub(crate) async fn over(&self) {
        if !self.is_member {
            return self.fenced().await;
        }
        let mut replaced = self.replaced.subscribe();
        // the sender is in `self`
        let _ = replaced.wait_for(|replaced| *replaced).await;
    }

    /// How many partitions are in a handler that has run for longer than `limit`.
    pub(crate) fn stuck(&self, limit: Duration, now: Moment) -> usize {
        self.partitions
            .iter()
            .filter(|partition| partition.inboxes().iter().any(|inbox| inbox.is_slow(limit, now)))
            .count()
    }

    /// How many partitions are in this state.
    pub(crate) fn count(&self, state: PartitionState) -> usize {
        self.partitions.iter().filter(|partition| partition.state() == state).count()
    }

    /// What the parts of the engine report of themselves.
    pub(crate) fn health(&self) -> &HealthRecord {
        &self.health
    }

    fn inboxes(&self) -> impl Iterator<Item = &Arc<dyn Refuses>> {
        self.partitions.iter().flat_map(|partition| partition.inboxes())
    }
}

/// Shuts a gate and ends the watchdog when it is dropped, with the tokio runtime that all tasks of the engine run on: an
/// engine that cannot answer must not take commands.
pub(crate) struct EndGuard(pub(crate) Arc<Gate>, pub(crate) Arc<Load>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.close(&Failure::unavailable("the engine has ended"));
        self.0.clear();
        self.1.watchdog().end();
    }
}

impl CommitSink<Ticket> for Gate {
    fn committed(
        &self,
        partition: Partition,
        mut results: Vec<(Ticket, Result<Committed, CommitError>)>,
    ) {
        note_outcome(&self.health, &results);
        if results.iter().any(|(ticket, _)| is_of_stream(*ticket)) {
            let of_streams = results.extract_if(.., |(ticket, _)| is_of_stream(*ticket));
            let of_streams: Vec<_> = of_streams.collect();
            // first: partitions take what is left for them later anyhow
            self.streams.committed(of_streams);
            if results.is_empty() {
                return; // no partition need wake
            }
        }
        self.partitions[partition].leave_committed(results);
    }

    fn fenced(&self, incarnation: Incarnation) {
        self.fence(incarnation);
    }

    fn lost(&self, error: &StoreError) {
        self.lose(error);
    }

    fn regressed(&self, regress: JournalRegress) {
        self.regress(regress);
    }

    fn observes(&self) -> bool {
        self.observer.is_some()
    }

    fn batch_committed(&self, writer: WriterScope, batch: CommittedBatch) {
        self.observe(|observer| observer.batch_committed(writer.lane(), batch));
    }

    fn outcome_unknown(&self, writer: WriterScope, writes: usize) {
        self.observe(|observer| observer.outcome_unknown(writer.lane(), writes));
    }

    fn outcome_resolved(&self, writer: WriterScope, writes: usize, stored: usize) {
        self.observe(|observer| observer.outcome_resolved(writer.lane(), writes, stored));
    }
}

/// Takes note of whether the store works. When it fails, it fails a batch as a whole.
fn note_outcome(health: &HealthRecord, results: &[(Ticket, Result<Committed, CommitError>)]) {
    match results.first() {
        Some((_, Ok(_) | Err(CommitError::Conflict { .. } | CommitError::NotOwned))) => {
            health.writes.succeeded();
        }
        // the others are about the request and about the writer
        Some((_, Err(CommitError::Store(error))))
            if !matches!(error, StoreError::Invalid { .. } | StoreError::Fenced { .. }) =>
        {
            health.writes.failed(error.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
