use crate::{
    health::HealthRecord,
    partition::{Door, PartitionMessage},
};
use actum_host::{
    Failure, Load,
    cell::{Moment, Ticket},
    partition::Refuses,
};
use actum_model::Partition;
use actum_persistence::{
    error_chain::full_text,
    group_commit::{CommitError, CommitSink, Committed},
    panics::log_safely,
    store::{Incarnation, StoreError},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::{oneshot, watch};

const FENCED: &str = "fenced: another engine has taken over the journal";
const FAILED: &str = "the engine has failed, see its log; it must be started again";
const LOST: &str = "the store is lost: its files were removed or replaced";

/// Opens and shuts the engine to commands, and takes commits to the partitions they are for.
pub(crate) struct Gate {
    doors: Arc<[Arc<Door>]>,
    inboxes: OnceLock<Vec<Arc<dyn Refuses>>>,
    fenced: watch::Sender<bool>,
    failed: OnceLock<&'static str>,
    health: HealthRecord,
    lost: watch::Sender<Option<StoreError>>,
}

impl Gate {
    pub(crate) fn new(doors: Arc<[Arc<Door>]>) -> Self {
        let ((fenced, _), (lost, _)) = (watch::channel(false), watch::channel(None));
        let (inboxes, failed) = (OnceLock::new(), OnceLock::new());
        Self { doors, inboxes, fenced, failed, lost, health: HealthRecord::default() }
    }

    /// Guards the inboxes of each kind, by partition.
    pub(crate) fn guards(&self, inboxes: Vec<Arc<dyn Refuses>>) {
        let _ = self.inboxes.set(inboxes);
    }

    /// Refuses commands for good.
    pub(crate) fn shut(&self, failure: &Failure) {
        self.inboxes().for_each(|inbox| inbox.close(failure.clone()));
    }

    /// Refuses commands until [`Gate::reopen`].
    pub(crate) fn suspend(&self, failure: &Failure) {
        self.inboxes().for_each(|inbox| inbox.suspend(failure.clone()));
    }

    /// Takes commands again, unless the gate is shut. Which of the two comes first makes no difference.
    pub(crate) fn reopen(&self) {
        self.inboxes().for_each(|inbox| inbox.reopen());
    }

    /// Another writer has taken over: nothing this engine holds in memory may be shown any more.
    pub(crate) fn fence(&self, incarnation: Incarnation) {
        if self.fenced.send_replace(true) {
            return;
        }
        log_safely(|| {
            tracing::error!(%incarnation, "fenced, another writer has taken over the journal");
        });
        self.abandon(&Failure::unavailable(FENCED), FENCED);
    }

    /// The engine cannot go on: `what` has ended that it cannot do without. Every command is refused from now on, and
    /// whoever waits is answered at once.
    pub(crate) fn fail(&self, what: &'static str) {
        if self.failed.set(what).is_err() {
            return;
        }
        log_safely(|| tracing::error!(what, "engine failed, it serves nothing any more"));
        self.abandon(&Failure::unavailable(FAILED), FAILED);
        self.give_up(FAILED);
    }

    /// Why the engine cannot go on, if it has failed: what has ended, or what has happened to its store.
    pub(crate) fn failed(&self) -> Option<String> {
        let ended = self.failed.get().map(|what| format!("{what} has ended"));
        ended.or_else(|| self.lost.borrow().as_ref().map(|error| full_text(error)))
    }

    /// Refuses commands with `failure`, and answers those that were taken with `reason`.
    fn abandon(&self, failure: &Failure, reason: &'static str) {
        self.shut(failure);
        for door in self.doors.iter() {
            let (count, _) = oneshot::channel();
            door.send(PartitionMessage::Abandon(reason, count));
        }
        self.clear();
    }

    /// The store is lost: what this engine holds in memory may be in no file any more, and nothing can be written.
    pub(crate) fn lose(&self, error: &StoreError) {
        if self.lost.send_replace(Some(error.clone())).is_some() {
            return;
        }
        log_safely(|| tracing::error!(%error, "store lost, the engine serves nothing any more"));
        self.abandon(&Failure::of_store(error.clone()), LOST);
    }

    /// Waits until the store is lost, as a rule for ever, and says what has happened to it.
    pub(crate) async fn lost(&self) -> StoreError {
        let mut lost = self.lost.subscribe();
        match lost.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            _ => unreachable!("the sender is in `self`, and waits for nothing else"),
        }
    }

    /// Answers the commands that nobody will take any more with what the gate was shut with, and says how many. To be
    /// called after the gate is shut.
    pub(crate) fn clear(&self) -> usize {
        self.inboxes().map(|inbox| inbox.clear()).sum()
    }

    /// Answers late commands to a partition that is down.
    pub(crate) fn expire(&self, partition: usize, now: Moment) {
        self.of_partition(partition).for_each(|inbox| inbox.expire(now));
    }

    /// The inboxes of one partition.
    pub(crate) fn of_partition(&self, partition: usize) -> impl Iterator<Item = &Arc<dyn Refuses>> {
        self.inboxes().skip(partition).step_by(self.doors.len())
    }

    /// Ends all waits for partitions that will not answer, and lets them begin nothing any more. Says how many commands
    /// they hold that were not answered.
    pub(crate) fn give_up(&self, reason: &'static str) -> usize {
        self.inboxes().map(|inbox| inbox.give_up(reason)).sum()
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

    /// How many partitions are in a handler that has run for longer than `limit`.
    pub(crate) fn stuck(&self, limit: Duration, now: Moment) -> usize {
        let is_stuck = |at: &usize| self.of_partition(*at).any(|inbox| inbox.is_slow(limit, now));
        (0..self.doors.len()).filter(is_stuck).count()
    }

    /// What the parts of the engine report of themselves.
    pub(crate) fn health(&self) -> &HealthRecord {
        &self.health
    }

    fn inboxes(&self) -> impl Iterator<Item = &Arc<dyn Refuses>> {
        self.inboxes.get().into_iter().flatten()
    }
}

/// Shuts a gate and ends the watchdog when it is dropped, with the tokio runtime that everybody of the engine works on: an engine that cannot
/// answer must not take commands.
pub(crate) struct ShutOnDrop(pub(crate) Arc<Gate>, pub(crate) Arc<Load>);

impl Drop for ShutOnDrop {
    fn drop(&mut self) {
        self.0.shut(&Failure::unavailable("the engine has ended"));
        self.0.clear();
        self.1.watchdog().end();
    }
}

impl CommitSink<Ticket> for Gate {
    fn committed(
        &self,
        partition: Partition,
        results: Vec<(Ticket, Result<Committed, CommitError>)>,
    ) {
        note_outcome(&self.health, &results);
        self.doors[partition.index()].leave_committed(results);
    }

    fn fenced(&self, incarnation: Incarnation) {
        self.fence(incarnation);
    }

    fn lost(&self, error: &StoreError) {
        self.lose(error);
    }
}

/// Takes note of whether the store works. When it fails, it fails a batch as a whole.
fn note_outcome(health: &HealthRecord, results: &[(Ticket, Result<Committed, CommitError>)]) {
    match results.first() {
        Some((_, Ok(_) | Err(CommitError::Conflict { .. }))) => health.writes.succeeded(),
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
mod tests {
    use super::*;
    use crate::{
        EntityRef,
        alarm::Alarm,
        ask::{Port, TellFailures},
        clock::Clock,
    };
    use actum_host::{Load, partition::Inbox};
    use actum_model::{Ctx, Effect, Entity, EntityKey, Handle, Lane, NoEvents, PartitionCount};
    use std::{convert::Infallible, future::IntoFuture, time::Duration};
    use tokio::time::timeout;

    struct Unserved;

    impl Entity for Unserved {
        const KIND: &'static str = "unserved";
        type Id = String;
        type Env = ();
        type Event = NoEvents;
        type Commands = ((),);

        fn initial(_: &String) -> Self {
            Self
        }
    }

    impl Handle<()> for Unserved {
        type Reply = ();
        type Rejection = Infallible;
        fn handle(&self, (): (), _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
            Ok(Effect::none().reply(()))
        }
    }

    /// A gate before one inbox that nobody empties.
    fn gate() -> (Gate, EntityRef<Unserved>, Arc<Load>) {
        let only = PartitionCount::default().iter().next().expect("a count is not zero");
        let door = Arc::new(Door::new(only, Lane::default(), Arc::new(Alarm::new())));
        let load = Arc::new(Load::new(10, 10, 10));
        let inbox = Arc::new(Inbox::<Unserved>::new(10, Arc::clone(&load)));
        let gate = Gate::new([Arc::clone(&door)].into());
        gate.guards(vec![Arc::clone(&inbox) as Arc<dyn Refuses>]);
        let (clock, ask_timeout) = (Clock::start(), Duration::from_secs(1));
        let tells = Arc::new(TellFailures::new("unserved", clock));
        let port = Port { inbox, door, load: Arc::clone(&load), clock, ask_timeout, tells };
        let key = EntityKey::new("unserved", "n").expect("a short id");
        (gate, EntityRef::new(key, Arc::new(port)), load)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_shut_stays_shut_whatever_becomes_of_the_lease() {
        let (gate, unserved, _) = gate();
        let (lease, shut) = (Failure::unavailable("lease"), Failure::unavailable("shut"));
        let refused = async || {
            let answer = timeout(Duration::from_secs(1), unserved.ask(()).into_future()).await;
            answer.expect("nobody waits for ever").expect_err("it is refused").to_string()
        };
        gate.suspend(&lease);
        assert_eq!(refused().await, "unavailable: lease");
        gate.shut(&shut);
        gate.reopen();
        assert_eq!(refused().await, "unavailable: shut");
        gate.suspend(&lease);
        assert_eq!(refused().await, "unavailable: shut");
    }

    #[tokio::test]
    async fn who_waits_when_it_is_shut_is_told_why() {
        let (gate, unserved, load) = gate();
        gate.suspend(&Failure::unavailable("lease"));
        gate.reopen();
        let waiting = unserved.ask(()).into_future();
        assert_eq!(gate.clear(), 0, "it is open");
        assert_eq!(load.commands(), 1);
        gate.fence(Incarnation::new(1));
        gate.reopen(); // a renewal of the lease had succeeded meanwhile
        let error = waiting.await.expect_err("it is refused");
        assert_eq!(error.to_string(), format!("unavailable: {FENCED}"));
        assert_eq!(load.commands(), 0);
    }
}
