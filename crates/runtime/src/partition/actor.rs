use super::{
    PartitionFactory, PartitionHandle, PartitionMessage, served::ServedPartition, shell::TurnEnd,
};
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
        mut message: PartitionMessage,
        state: &mut ActorState,
    ) -> Result<(), ActorProcessingErr> {
        for _ in 0..TURNS_MAX {
            let Some(partition) = &mut state.partition else { return Ok(()) };
            let end = match guard(|| take(&message, partition)) {
                Ok(Some(end)) => end,
                Ok(None) => {
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
                return Ok(());
            }
            if !end.has_more {
                return Ok(());
            }
            if end.woke {
                // tasks that the turn has woken go first: the next turn may be stuck in a handler
                step_back().await;
            }
            message = PartitionMessage::Turn;
        }
        if let Some(partition) = &state.partition {
            partition.take_turn_later();
        }
        Ok(())
    }
}

/// How many turns an actor takes, while more is left for it, before it looks for messages.
const TURNS_MAX: usize = 16;

/// Does what a message asks for, and says what its turn leaves to do; `None` when everything was abandoned.
fn take(message: &PartitionMessage, partition: &mut ServedPartition) -> Option<TurnEnd> {
    match message {
        PartitionMessage::Turn => Some(partition.turn()),
        PartitionMessage::Drain => Some(partition.drain()),
        PartitionMessage::Abandon(why) => {
            partition.abandon(why);
            None
        }
    }
}
