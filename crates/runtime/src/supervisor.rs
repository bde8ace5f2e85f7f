use crate::{
    clock::Clock,
    gate::Gate,
    partition::{PartitionActor, PartitionMessage, PartitionPlan},
    restarts::Restarts,
};
use actum_persistence::panics::log_safely;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Starts the partitions of an engine, and starts one anew when it fails: at once the first time, later after a pause
/// that doubles.
pub(crate) struct Supervisor;

pub(crate) enum SupervisorMessage {
    Restart(usize),
    /// Answer late commands to this partition, as long as it is down. The watchdog would end their waits as well, but only
    /// in real time and without taking the commands out of the inbox, whose room they fill.
    Expire(usize),
}

impl ractor::Message for SupervisorMessage {}

/// What a supervisor needs.
pub(crate) struct Post {
    pub(crate) plans: Vec<PartitionPlan>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Clock,
}

pub(crate) struct Partitions {
    gate: Arc<Gate>,
    clock: Clock,
    plans: Vec<PartitionPlan>,
    living: HashMap<ActorId, usize>,
    records: Vec<Restarts>,
}

/// How often late commands are answered while a partition is down.
const EXPIRE_INTERVAL: Duration = Duration::from_millis(5);

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = Partitions;
    type Arguments = Post;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMessage>,
        Post { plans, gate, clock }: Post,
    ) -> Result<Partitions, ActorProcessingErr> {
        let (living, records) = (HashMap::new(), vec![Restarts::new(); plans.len()]);
        let mut partitions = Partitions { gate, clock, plans, living, records };
        for at in 0..partitions.plans.len() {
            partitions.start(at, &myself).await?;
        }
        Ok(partitions)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        partitions: &mut Partitions,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Restart(at) => match partitions.start(at, &myself).await {
                Ok(()) => {
                    partitions.gate.health().partition_restarted();
                    log_safely(|| {
                        tracing::info!(partition = at, "partition restarted");
                    });
                }
                Err(error) => {
                    log_safely(|| {
                        tracing::error!(partition = at, %error, "partition does not start");
                    });
                    partitions.restart_later(at, &myself);
                }
            },
            SupervisorMessage::Expire(at) => partitions.expire(at, &myself),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        partitions: &mut Partitions,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(actor, error) = event
            && let Some(at) = partitions.living.remove(&actor.get_id())
        {
            partitions.gate.health().partition_failed();
            log_safely(|| {
                tracing::error!(partition = at, %error, "partition failed, its entities will recover");
            });
            partitions.restart_later(at, &myself);
        }
        Ok(())
    }
}

impl Partitions {
    async fn start(
        &mut self,
        at: usize,
        myself: &ActorRef<SupervisorMessage>,
    ) -> Result<(), ractor::SpawnErr> {
        let plan = PartitionPlan::clone(&self.plans[at]);
        let spawned = PartitionActor::spawn_linked(None, PartitionActor, plan, myself.get_cell());
        let (actor, _): (ActorRef<PartitionMessage>, _) = spawned.await?;
        self.living.insert(actor.get_id(), at);
        self.records[at].started();
        Ok(())
    }

    fn restart_later(&mut self, at: usize, myself: &ActorRef<SupervisorMessage>) {
        let pause = self.records[at].failed();
        myself.send_after(pause, move || SupervisorMessage::Restart(at));
        self.expire(at, myself);
    }

    /// Answers late commands to a partition that is down, now and again until it is up.
    fn expire(&self, at: usize, myself: &ActorRef<SupervisorMessage>) {
        if !self.living.values().any(|other| *other == at) {
            self.gate.expire(at, self.clock.now());
            myself.send_after(EXPIRE_INTERVAL, move || SupervisorMessage::Expire(at));
        }
    }
}
