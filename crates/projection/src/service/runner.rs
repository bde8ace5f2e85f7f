use super::{
    JournalPlace,
    controls::Controls,
    entering::{EnteredVersion, differs, enter},
    following::Following,
    joint_renewals::{JointRenewals, Renewed},
    needed::Needed,
    renewal_ticket::RenewalTicket,
    segment_run::run_segment,
    shared::{ServicePhase, SharedProjection},
    work::{Hurry, NotDone},
};
use actum_persistence::{
    error_chain::full_text,
    panics::{log_safely, panic_message},
    progress::{RunnerRenewal, SaveError, Segment, StoredProjection, StoredSegment},
    store::StoreError,
};
use actum_reader::{
    runner::{Round, RunnerMachine},
    segment::{Backoff, SegmentEnd},
};
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, timeout_at},
};

/// Runs a projection in this process: claims its share of the segments and has them handled.
pub(crate) struct Runner {
    shared: Arc<SharedProjection>,
    me: Arc<str>,
    machine: RunnerMachine,
    tasks: JoinSet<SegmentEnd>,
    running: HashMap<Segment, RunningSegment>,
    /// How often in a row it could not be started.
    failures: u32,
    following: Following,
    needed: Needed,
    renewals: JointRenewals,
    /// Its next round.
    next: Option<RenewalTicket>,
    /// How long it waits for the next round.
    interval: Duration,
}

struct RunningSegment {
    task: Id,
    controls: Controls,
}

/// How often it checks whether a switch to another version is over.
const RESTING_INTERVAL: Duration = Duration::from_millis(200);
const DELETED: &str = "what is kept of the projection was deleted";

impl Runner {
    /// The runner `me`, which renews together with those that have the same `renewals`.
    pub(crate) fn new(
        shared: Arc<SharedProjection>,
        me: Arc<str>,
        renewals: JointRenewals,
    ) -> Self {
        let lease = shared.registration.settings.lease;
        let machine = RunnerMachine::new(Arc::clone(&me), lease, shared.now());
        Self {
            shared,
            me,
            interval: machine.interval(),
            machine,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            failures: 0,
            following: Following::default(),
            needed: Needed::default(),
            renewals,
            next: None,
        }
    }

    /// Runs until it is asked to end, or cannot run.
    pub(crate) async fn run(mut self, place: Arc<dyn JournalPlace>) {
        let mut ending = pin!(place.ending());
        tokio::select! {
            biased;
            () = &mut ending => {}
            () = self.serve(&*place) => {}
        }
        self.end().await;
    }

    /// Returns only when the projection cannot run.
    async fn serve(&mut self, place: &dyn JournalPlace) {
        if let Err(why) = self.start().await {
            log_safely(
                || tracing::error!(projection = %self.shared.id, %why, "projection cannot run"),
            );
            return self.shared.set_phase(ServicePhase::Failed(why));
        }
        self.shared.set_phase(ServicePhase::Running);
        log_safely(|| tracing::info!(projection = %self.shared.id, "projection started"));
        let mut wait = Duration::ZERO;
        loop {
            self.rest(wait).await;
            self.check_lease();
            wait = match self.round_in_time(place).await {
                Ok(true) => {
                    self.machine.round_done();
                    self.shared.set_phase(ServicePhase::Running);
                    // what it waited for was a handler, and it is time to renew again
                    if self.is_due() { Duration::ZERO } else { self.interval }
                }
                Ok(false) => {
                    return self.shared.set_phase(ServicePhase::Failed(DELETED.into()));
                }
                Err(error) => {
                    let why = full_text(&error);
                    log_safely(
                        || tracing::warn!(projection = %self.shared.id, error = why, "progress of a projection not reached"),
                    );
                    self.shared.set_phase(ServicePhase::Starting(Some(why.into())));
                    self.machine.round_failed(self.shared.now(), fastrand::f64())
                }
            };
        }
    }

    /// Enters the projection and prepares what it writes to, until that is done; says why it cannot be.
    async fn start(&mut self) -> Result<(), Arc<str>> {
        let shared = Arc::clone(&self.shared);
        let EnteredVersion { stored, begins_with_first } = loop {
            match self.entered().await {
                Ok(Some(entered)) => break entered,
                Ok(None) => return Err(DELETED.into()),
                Err(StoreError::Invalid { what }) => return Err(what.into()),
                Err(error) => self.wait_to_start(&full_text(&error)).await,
            }
        };
        if let Some(why) = differs(&stored, &shared) {
            return Err(why.into());
        }
        if begins_with_first {
            self.following.check_deleted(&shared);
        }
        let limits = shared.limits(stored.live_from, Hurry::default());
        loop {
            match shared.registration.work.set_up(&limits).await {
                Ok(()) => return Ok(()),
                // also what may be repaired from outside, such as missing rights: it is tried again
                Err(NotDone { why, .. }) => {
                    self.wait_to_start(&format!("preparing what it writes to: {why}")).await;
                }
            }
        }
    }

    /// What is kept, entered if need be; none if it was entered before and is not there any more.
    async fn entered(&self) -> Result<Option<EnteredVersion>, StoreError> {
        if !self.shared.registration.work.has_entered() {
            return enter(&self.shared).await.map(Some);
        }
        let stored = self.shared.progress.load(&self.shared.id).await?;
        Ok(stored.map(|stored| EnteredVersion { stored, begins_with_first: false }))
    }

    async fn wait_to_start(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        log_safely(
            || tracing::warn!(projection = %self.shared.id, error = why, "projection not started, trying again"),
        );
        self.shared.set_phase(ServicePhase::Starting(Some(why.into())));
        sleep(Backoff::AWAY.after(self.failures, fastrand::f64())).await;
    }

    /// A round, whose renewal has begun, that ends before others may take over.
    async fn round_in_time(&mut self, place: &dyn JournalPlace) -> Result<bool, StoreError> {
        let (shared, mut lease) = (Arc::clone(&self.shared), self.machine.lease());
        let mut deadline = self.machine.round_until(shared.now());
        let ended = {
            let mut round = pin!(self.round(place));
            loop {
                let ended = timeout_at(shared.started + deadline, &mut round).await;
                if let Ok(ended) = ended {
                    break Some(ended);
                }
                for (since, until) in shared.last_holds() {
                    lease.held(since, until);
                }
                if lease.lapses_at() <= deadline {
                    break None;
                }
                deadline = lease.lapses_at(); // it waits for a handler here, and so does everyone else
            }
        };
        self.next = None;
        if let Some(ended) = ended {
            self.see_holds();
            return ended;
        }
        self.check_lease();
        // renewals may be kept although no answer comes: without one for a lease, others take over
        sleep(shared.registration.settings.lease).await;
        Err(StoreError::unavailable("renewing the lease of a projection", "no answer in time"))
    }

    /// Takes in what was kept when it has renewed, and does what follows; false if nothing is kept any more.
    async fn round(&mut self, place: &dyn JournalPlace) -> Result<bool, StoreError> {
        let renewal = self.next.as_mut().expect("a round begins with a renewal");
        let Renewed { begun, stored } = renewal.renewed().await;
        let Some(stored) = stored? else { return Ok(false) };
        self.machine.renewed(begun.duration_since(self.shared.started));
        self.shared.registration.work.has_read(&stored, &self.me);
        if let Ok(mut seen) = self.shared.divides.try_lock() {
            seen.see(&stored.runners, self.shared.now());
        }
        self.following.round(&self.shared, &stored, &self.me).await?;
        self.interval = Following::interval(&self.shared, &stored);
        place.has_read(self.needed.of(&*self.shared.progress, &stored).await?);
        let round = self.machine.round(&stored, self.shared.now());
        self.carry_out(round, &stored).await?;
        Ok(true)
    }

    async fn carry_out(
        &mut self,
        round: Round,
        stored: &StoredProjection,
    ) -> Result<(), StoreError> {
        let Round { lost, ended, released, requested, claims, rests } = round;
        if rests {
            self.interval = self.interval.min(RESTING_INTERVAL);
        }
        self.controls(&lost).for_each(Controls::lose);
        self.controls(&ended).for_each(Controls::end);
        self.controls(&requested).for_each(Controls::request);
        for (segment, epoch) in released {
            match self.shared.progress.release(&self.shared.id, segment, epoch).await {
                Ok(()) | Err(SaveError::Stale) => {}
                Err(SaveError::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::invalid(error.to_string())),
            }
            if self.is_due() {
                return Ok(()); // what is left is decided again behind the next renewal
            }
        }
        for claim in claims {
            if let Some(claimed) = self.shared.progress.claim(&claim).await? {
                self.begin_segment(claimed, stored);
            }
            if self.is_due() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn controls<'a>(&'a self, segments: &'a [Segment]) -> impl Iterator<Item = &'a Controls> {
        segments.iter().filter_map(|segment| self.running.get(segment)).map(|one| &one.controls)
    }

    fn begin_segment(&mut self, claimed: StoredSegment, stored: &StoredProjection) {
        let (segment, epoch) = (claimed.segment, claimed.epoch);
        let (controls, run) = run_segment(&self.shared, claimed, stored, None);
        let task = self.tasks.spawn(run);
        self.machine.begun(segment, epoch);
        self.running.insert(segment, RunningSegment { task: task.id(), controls });
    }

    /// Waits for the next round: a while, until something has happened, or until others go whose progress is kept at the same
    /// place. Its renewal has begun then.
    async fn rest(&mut self, wait: Duration) {
        let now = self.shared.now();
        let rested = self.machine.rested_at(now).map(|at| at.saturating_sub(now));
        let window = self.machine.window(rested.map_or(wait, |rested| rested.min(wait)));
        let renewal = RunnerRenewal {
            dead: self.machine.dead().to_vec(),
            ..RunnerRenewal::new(self.shared.id.clone(), Arc::clone(&self.me))
        };
        let ticket = RenewalTicket::enter(&self.renewals, &self.shared.progress, renewal, window);
        self.next = Some(ticket);
        while let Some(next) = &mut self.next {
            tokio::select! {
                biased;
                // in front: a round decides by what still runs here
                Some(ended) = self.tasks.join_next_with_id() => {
                    if self.ended(ended) {
                        return self.next.iter_mut().for_each(RenewalTicket::go);
                    }
                }
                () = self.shared.poke.notified() => return next.go(),
                () = next.begun() => return,
            }
        }
    }

    /// A task has ended; says whether there is something to do about it at once.
    fn ended(&mut self, ended: Result<(Id, SegmentEnd), JoinError>) -> bool {
        let (task, end) = match ended {
            Ok((task, end)) => (task, end),
            Err(error) => {
                let task = error.id();
                if let Ok(panic) = error.try_into_panic() {
                    let panic = panic_message(&*panic);
                    log_safely(
                        || tracing::error!(projection = %self.shared.id, panic, "the task of a segment panicked"),
                    );
                }
                (task, SegmentEnd::Lost)
            }
        };
        let segment = self
            .running
            .iter()
            .find(|(_, running)| running.task == task)
            .map(|(segment, _)| *segment);
        let Some(segment) = segment else { return false };
        self.running.remove(&segment);
        log_safely(
            || tracing::info!(projection = %self.shared.id, %segment, ?end, "segment ended"),
        );
        self.machine.ended(segment, &end, self.shared.now());
        true
    }

    fn is_due(&self) -> bool {
        self.machine.lease().is_due(self.shared.now())
    }

    /// Handles nothing any more when others may have taken over: no renewal has succeeded for a lease.
    fn check_lease(&mut self) {
        self.see_holds();
        if self.machine.has_lapsed(self.shared.now()) && self.machine.runs_any() {
            log_safely(
                || tracing::warn!(projection = %self.shared.id, "lease of a projection lapsed"),
            );
            self.tasks.abort_all();
        }
    }

    fn see_holds(&mut self) {
        for (since, until) in self.shared.last_holds() {
            self.machine.held(since, until);
        }
    }

    /// Ends: what is being handled is finished or undone within a bound, and everything is given back.
    async fn end(&mut self) {
        self.shared.end();
        self.running.values().for_each(|running| running.controls.end());
        let settings = &self.shared.registration.settings;
        let deadline = Instant::now() + settings.shutdown_timeout;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout_at(deadline, all).await.is_err() {
            log_safely(
                || tracing::warn!(projection = %self.shared.id, "a handler has not ended in time, its batch is undone or comes again"),
            );
            self.tasks.shutdown().await;
        }
        self.following.end(deadline.max(Instant::now() + LEAVE)).await;
        if let Some(renewal) = self.next.take() {
            // one that is kept behind the leave would be taken for alive for a lease
            let _ = timeout_at(Instant::now() + LEAVE, renewal.withdraw()).await;
        }
        let leaving = self.shared.progress.leave(&self.shared.id, &self.me);
        match timeout_at(deadline.max(Instant::now() + LEAVE), leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log_safely(
                    || tracing::warn!(projection = %self.shared.id, error = full_text(&error), "projection not given back, its lease ends anyway"),
                );
            }
            Err(_) => {
                log_safely(
                    || tracing::warn!(projection = %self.shared.id, "projection not given back in time, its lease ends anyway"),
                );
            }
        }
    }
}

const LEAVE: Duration = Duration::from_secs(1);
