use super::{PartitionMessage, ServedPartition};
use actum_persistence::step_back;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The actor of one partition. It matches and delegates; the work is done by [`ServedPartition`].
pub(crate) struct PartitionActor;

/// How to make a partition, for its first life and for every later one.
pub(crate) type PartitionPlan = Arc<dyn Fn() -> (ServedPartition, Arc<super::Door>) + Send + Sync>;

/// One life of a partition.
pub(crate) struct Life {
    partition: ServedPartition,
    drained: Option<oneshot::Sender<()>>,
}

impl Actor for PartitionActor {
    type Msg = PartitionMessage;
    type State = Life;
    type Arguments = PartitionPlan;

    async fn pre_start(
        &self,
        myself: ActorRef<PartitionMessage>,
        plan: PartitionPlan,
    ) -> Result<Life, ActorProcessingErr> {
        let (partition, door) = plan();
        door.move_in(myself);
        Ok(Life { partition, drained: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<PartitionMessage>,
        message: PartitionMessage,
        life: &mut Life,
    ) -> Result<(), ActorProcessingErr> {
        let woke = match message {
            PartitionMessage::Turn => life.partition.turn(),
            PartitionMessage::Drain(drained) => {
                life.drained = Some(drained);
                life.partition.drain()
            }
            PartitionMessage::Abandon(reason, count) => {
                let _ = count.send(life.partition.abandon(reason));
                myself.stop(None);
                false
            }
        };
        if life.partition.is_drained()
            && let Some(drained) = life.drained.take()
        {
            let _ = drained.send(());
        }
        if woke && life.partition.is_awake() {
            // whom the turn has woken: the next one may be stuck in a handler
            step_back().await;
        }
        Ok(())
    }
}
