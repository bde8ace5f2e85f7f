use super::{Partition, PartitionMessage};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::{future::poll_fn, sync::Arc, task::Poll};
use tokio::sync::oneshot;

/// The actor of one partition. It matches and delegates; the work is done by [`Partition`].
pub(crate) struct PartitionActor;

/// How to make a partition, for its first life and for every later one.
pub(crate) type PartitionPlan = Arc<dyn Fn() -> (Partition, Arc<super::Door>) + Send + Sync>;

/// One life of a partition.
pub(crate) struct Life {
    partition: Partition,
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
        match message {
            PartitionMessage::Turn => life.partition.turn(),
            PartitionMessage::Drain(drained) => {
                life.drained = Some(drained);
                life.partition.drain();
            }
            PartitionMessage::Abandon(reason, count) => {
                let _ = count.send(life.partition.abandon(reason));
                myself.stop(None);
            }
        }
        if life.partition.is_drained()
            && let Some(drained) = life.drained.take()
        {
            let _ = drained.send(());
        }
        if life.partition.is_awake() {
            step_back().await;
        }
        Ok(())
    }
}

/// Lets the tasks run that the last turn has woken.
///
/// The one woken last waits in a place that no other thread of tokio takes tasks from: if the next turn were stuck in a
/// handler, so were the caller who has its answer already, or the writer of a lane.
async fn step_back() {
    let mut stepped = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
