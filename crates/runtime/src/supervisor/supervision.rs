use super::{
    messages::{Close, Closed, Due, PartitionNotOpened, SupervisorMessage, Timer},
    stage::{Closing, Reminder, Stage, Supervised},
};
use crate::{
    gate::Gate,
    partition::{
        PartitionActor, PartitionFactory, PartitionHandle, PartitionHandles, PartitionMessage,
        PartitionTable,
    },
    term::Term,
};
use actum_host::{Failure, cell::GivenUp};
use actum_model::Partition;
use actum_persistence::panics::log_safely;
use ractor::{Actor, ActorId, ActorRef};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::Instant};

/// The partitions of an engine as their supervisor sees them.
pub(crate) struct Supervision {
    myself: ActorRef<SupervisorMessage>,
    handles: Arc<PartitionHandles>,
    factory: Arc<PartitionFactory>,
    gate: Arc<Gate>,
    partitions: PartitionTable<Supervised>,
    /// Those that run.
    actors: HashMap<ActorId, Partition>,
}

/// How often late commands are answered while a partition is down, and it is checked whether its writes are settled.
const EXPIRE_INTERVAL: Duration = Duration::from_millis(5);

/// How long a partition has to fail what is left when the time to close is over.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Why commands fail that waited for a partition which will not serve them.
const NOT_STARTED: &str = "the entity's partition does not start";
const ENDED: &str = "the engine has ended";

impl Supervision {
    /// All partitions are closed.
    pub(super) fn new(
        myself: ActorRef<SupervisorMessage>,
        handles: Arc<PartitionHandles>,
        factory: Arc<PartitionFactory>,
        gate: Arc<Gate>,
    ) -> Self {
        let partitions = PartitionTable::new(handles.count(), |_| Supervised::new());
        Self { myself, handles, factory, gate, partitions, actors: HashMap::new() }
    }

    pub(super) async fn open(
        &mut self,
        partition: Partition,
        term: Arc<Term>,
    ) -> Result<(), PartitionNotOpened> {
        let Some(handle) = self.handles.get(partition).map(Arc::clone) else {
            return Err(PartitionNotOpened::Unknown { count: self.handles.count().get() });
        };
        match self.partitions[partition].stage() {
            _ if self.gate.is_closed() => return Err(PartitionNotOpened::Ended),
            Stage::Serving | Stage::Down { .. } => return Err(PartitionNotOpened::AlreadyOpen),
            Stage::Closing(_) | Stage::Stuck => return Err(PartitionNotOpened::Closing),
            Stage::Closed => {}
        }
        handle.open(term);
        if handle.has_unsettled() {
            self.wait_for_writes(&handle);
            return Ok(());
        }
        if let Err(what) = self.start(&handle).await {
            self.finish(&handle, NOT_STARTED);
            return Err(PartitionNotOpened::NotStarted { what });
        }
        Ok(())
    }

    /// Closes a partition: what it has taken is finished until the deadline, and failed then.
    pub(super) fn close(
        &mut self,
        partition: Partition,
        close: Close,
        closed: oneshot::Sender<Closed>,
    ) {
        let Some(handle) = self.handles.get(partition).map(Arc::clone) else { return };
        let (myself, supervised) = (&self.myself, &mut self.partitions[partition]);
        let (this_nr, next_nr) = (supervised.stage_nr(), supervised.stage_nr() + 1);
        let reminder = |stage_nr| {
            let due = Due { partition, stage_nr, what: Timer::Deadline };
            Reminder::at(close.deadline, due, myself)
        };
        let done = match supervised.stage_mut() {
            Stage::Closed => Closed::default(),
            Stage::Stuck => Closed { unanswered: 0, is_stuck: true },
            Stage::Down { .. } => {
                let unanswered = self.finish(&handle, close.reason);
                Closed { unanswered, is_stuck: false }
            }
            Stage::Closing(closing) => {
                closing.waiting.push(closed);
                if close.deadline < closing.close.deadline {
                    (closing.close, closing.reminder) = (close, reminder(this_nr));
                }
                return;
            }
            Stage::Serving => {
                // the entrance first: what the actor takes from now on is all there will be
                handle.close();
                handle.send(PartitionMessage::Drain);
                let (waiting, reminder) = (vec![closed], reminder(next_nr));
                self.enter(&handle, Stage::Closing(Closing { close, waiting, reminder }));
                return;
            }
        };
        let _ = closed.send(done); // the caller may have gone
    }

    /// A timer has run out.
    pub(super) async fn due(&mut self, Due { partition, stage_nr, what }: Due) {
        if self.partitions[partition].stage_nr() != stage_nr {
            return; // it was closed, opened or started meanwhile
        }
        let handle = Arc::clone(&self.handles[partition]);
        match what {
            Timer::Restart => self.restart(&handle).await,
            Timer::Expire => self.expire(&handle),
            Timer::Deadline => self.abandon(&handle),
            Timer::Grace => self.give_up(&handle),
        }
    }

    /// An actor has gone: it has failed with `error`, or stopped.
    pub(super) fn gone(&mut self, actor: ActorId, error: Option<&str>) {
        let Some(partition) = self.actors.remove(&actor) else { return };
        let handle = Arc::clone(&self.handles[partition]);
        if let Some(error) = error {
            log_safely(|| {
                tracing::error!(%partition, error, "partition failed, its entities will recover");
            });
        }
        match self.partitions[partition].stage() {
            Stage::Serving if !self.gate.is_closed() => {
                if error.is_none() {
                    log_safely(|| {
                        tracing::error!(%partition, "partition stopped, its entities will recover");
                    });
                }
                self.restart_later(&handle);
            }
            Stage::Closing(closing) => {
                let reason = closing.close.reason;
                self.finish(&handle, reason);
            }
            _ => {
                self.finish(&handle, ENDED);
            }
        }
    }

    async fn start(&mut self, handle: &Arc<PartitionHandle>) -> Result<(), String> {
        let arguments = (Arc::clone(&self.factory), Arc::clone(handle));
        let supervisor = self.myself.get_cell();
        let spawned = PartitionActor::spawn_linked(None, PartitionActor, arguments, supervisor);
        let (actor, _) = spawned.await.map_err(|error| error.to_string())?;
        self.actors.insert(actor.get_id(), handle.partition);
        self.partitions[handle.partition].restarts.started();
        self.enter(handle, Stage::Serving);
        Ok(())
    }

    async fn restart(&mut self, handle: &Arc<PartitionHandle>) {
        if handle.has_unsettled() {
            return self.wait_for_writes(handle);
        }
        let partition = handle.partition;
        match self.start(handle).await {
            Ok(()) => log_safely(|| tracing::info!(%partition, "partition restarted")),
            Err(error) => {
                log_safely(|| tracing::error!(%partition, error, "partition does not start"));
                self.restart_later(handle);
            }
        }
    }

    fn restart_later(&mut self, handle: &PartitionHandle) {
        let pause = self.partitions[handle.partition].restarts.failed();
        self.restart_after(pause, handle);
    }

    /// Starts a partition only when what its former actor has sent is settled: its entities would recover from what is stored
    /// before that, and show it for as long as they are only read.
    fn wait_for_writes(&mut self, handle: &PartitionHandle) {
        self.restart_after(EXPIRE_INTERVAL, handle);
    }

    fn restart_after(&mut self, pause: Duration, handle: &PartitionHandle) {
        let (partition, now) = (handle.partition, Instant::now());
        let stage_nr = self.partitions[partition].stage_nr() + 1;
        let remind = |what, after| {
            Reminder::at(now + after, Due { partition, stage_nr, what }, &self.myself)
        };
        let down = Stage::Down {
            _restart: remind(Timer::Restart, pause),
            expire: remind(Timer::Expire, EXPIRE_INTERVAL),
        };
        handle.expire(self.factory.surroundings.clock.now());
        self.enter(handle, down);
    }

    /// Answers late commands to a partition that is down, now and again until it is up.
    fn expire(&mut self, handle: &PartitionHandle) {
        handle.expire(self.factory.surroundings.clock.now());
        let partition = handle.partition;
        let supervised = &mut self.partitions[partition];
        let due = Due { partition, stage_nr: supervised.stage_nr(), what: Timer::Expire };
        if let Stage::Down { expire, .. } = supervised.stage_mut() {
            *expire = Reminder::at(Instant::now() + EXPIRE_INTERVAL, due, &self.myself);
        }
    }

    /// Lets an actor fail what is left, and stop; for some time.
    fn abandon(&mut self, handle: &PartitionHandle) {
        let partition = handle.partition;
        let supervised = &mut self.partitions[partition];
        let due = Due { partition, stage_nr: supervised.stage_nr(), what: Timer::Grace };
        if let Stage::Closing(closing) = supervised.stage_mut() {
            handle.send(PartitionMessage::Abandon(GivenUp::because(closing.close.reason)));
            closing.reminder = Reminder::at(Instant::now() + GRACE, due, &self.myself);
        }
    }

    /// Ends the waits for an actor that is stuck.
    fn give_up(&mut self, handle: &PartitionHandle) {
        if let Stage::Closing(closing) = self.enter(handle, Stage::Stuck) {
            let reason = closing.close.reason;
            let unanswered = handle.give_up(&GivenUp::because(reason))
                + handle.clear(&Failure::unavailable(reason));
            closing.done(Closed { unanswered, is_stuck: true });
        }
    }

    /// A partition without an actor is closed; says how many of its commands were failed for that.
    fn finish(&mut self, handle: &PartitionHandle, reason: &'static str) -> usize {
        handle.close();
        let cleared = handle.clear(&Failure::unavailable(reason));
        let unanswered = handle.take_abandoned() + cleared;
        handle.detach();
        let before = self.enter(handle, Stage::Closed);
        if handle.take_cap() {
            self.factory.surroundings.cap.end(); // another one keeps it
        }
        if let Stage::Closing(closing) = before {
            closing.done(Closed { unanswered, is_stuck: false });
        }
        unanswered
    }

    fn enter(&mut self, handle: &PartitionHandle, stage: Stage) -> Stage {
        handle.set_state(stage.state());
        self.partitions[handle.partition].enter(stage)
    }
}
