use super::{PartitionFactory, PartitionHandle, PartitionMessage, served::ServedPartition};
use actum_persistence::{panics::guard, step_back};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;

/// The actor of one partition. It matches and delegates; the work is done by [`ServedPartition`].
///
/// It stops by itself once it is drained or has abandoned what it had.
pub(crate) struct PartitionActor;

/// What the actor holds.
pub(crate) struct ActorState {
    /// `None` once it has panicked.
    partition: Option<ServedPartition>,
}

impl Actor for PartitionActor {
    type Msg = PartitionMessage;
    type State = ActorState;
    type Arguments = (Arc<PartitionFactory>, Arc<PartitionHandle>);

    async fn pre_start(
        &self,
        myself: ActorRef<PartitionMessage>,
        (factory, handle): (Arc<PartitionFactory>, Arc<PartitionHandle>),
    ) -> Result<ActorState, ActorProcessingErr> {
        let partition = factory.make(&handle);
        handle.attach(myself);
        Ok(ActorState { partition: Some(partition) })
    }

    async fn handle(
        &self,
        myself: ActorRef<PartitionMessage>,
        message: PartitionMessage,
        state: &mut ActorState,
    ) -> Result<(), ActorProcessingErr> {
        let Some(partition) = &mut state.partition else { return Ok(()) };
        let woke = match guard(|| take(&message, partition)) {
            Ok(Taken::Turned { woke }) => woke,
            Ok(Taken::Abandoned) => {
                myself.stop(None);
                return Ok(());
            }
            Err(panic) => {
                // before the supervisor hears of it: what it holds is given back when the next one begins
                drop(state.partition.take());
                return Err(panic.into());
            }
        };
        if partition.is_drained() {
            myself.stop(None);
        } else if woke && partition.is_awake() {
            // tasks that the turn has woken go first: the next turn may be stuck in a handler
            step_back().await;
        }
        Ok(())
    }
}

/// What a message led to.
enum Taken {
    Turned { woke: bool },
    Abandoned,
}

fn take(message: &PartitionMessage, partition: &mut ServedPartition) -> Taken {
    match message {
        PartitionMessage::Turn => Taken::Turned { woke: partition.turn() },
        PartitionMessage::Drain => Taken::Turned { woke: partition.drain() },
        PartitionMessage::Abandon(why) => {
            partition.abandon(why);
            Taken::Abandoned
        }
    }
}
