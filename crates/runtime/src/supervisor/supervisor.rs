use super::{messages::SupervisorMessage, supervision::Supervision};
use crate::{
    gate::Gate,
    partition::{PartitionFactory, PartitionHandles},
    term::Term,
};
use actum_model::Partition;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::sync::Arc;

/// Opens and closes the partitions of an engine, and starts one again when its actor fails or goes without being asked: at
/// once the first time, later after a pause that doubles.
pub(crate) struct Supervisor;

/// What a supervisor needs.
pub(crate) struct SupervisorArguments {
    pub(crate) partitions: Arc<PartitionHandles>,
    pub(crate) factory: Arc<PartitionFactory>,
    pub(crate) gate: Arc<Gate>,
    /// The partitions to open before it is started, and their term.
    pub(crate) open: Vec<Partition>,
    pub(crate) term: Arc<Term>,
}

type Myself = ActorRef<SupervisorMessage>;

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = Supervision;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: Myself,
        arguments: SupervisorArguments,
    ) -> Result<Supervision, ActorProcessingErr> {
        let SupervisorArguments { partitions, factory, gate, open, term } = arguments;
        let mut supervision = Supervision::new(myself, partitions, factory, gate);
        for partition in open {
            supervision.open(partition, Arc::clone(&term)).await?;
        }
        Ok(supervision)
    }

    async fn handle(
        &self,
        _: Myself,
        message: SupervisorMessage,
        supervision: &mut Supervision,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::Open { partition, term, opened } => {
                let _ = opened.send(supervision.open(partition, term).await);
            }
            SupervisorMessage::Close { partition, close, closed } => {
                supervision.close(partition, close, closed);
            }
            SupervisorMessage::Due(due) => supervision.due(due).await,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: Myself,
        event: SupervisionEvent,
        supervision: &mut Supervision,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(actor, error) => {
                supervision.gone(actor.get_id(), Some(&error.to_string()));
            }
            SupervisionEvent::ActorTerminated(actor, state, _) => {
                drop(state); // what it holds is given back before a caller hears that it is closed
                supervision.gone(actor.get_id(), None);
            }
            _ => {}
        }
        Ok(())
    }
}
