use super::{RunningEngine, Runtime, membership::SETTLE_INTERVAL};
use crate::{
    partition::PartitionState,
    supervisor::{Close, Closed, PartitionNotOpened, SupervisorMessage},
    term::Term,
};
use actum_model::{Partition, PartitionCount};
use ractor::ActorRef;
use std::{fmt, sync::Arc};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// Opens and closes the partitions of one engine, for what decides which of them run here: a cluster.
///
/// By default all partitions are open from the start, and nothing here is needed; see
/// [`OpenAtStart`](crate::settings::OpenAtStart). Cheap to clone.
#[derive(Clone)]
pub struct Partitions {
    inner: Arc<RunningEngine>,
}

/// Until when this engine surely is the only one that serves a partition, by its own clock. Commands that come later are
/// refused, also right after the whole process was stopped for a while.
///
/// It begins as over. It never lasts longer than the engine's own lease.
#[derive(Clone, Debug)]
pub struct PartitionTerm(Arc<Term>);

impl PartitionTerm {
    /// Lets the term last until this instant: later or earlier than it would.
    pub fn set_end(&self, until: Instant) {
        self.0.set_end(until);
    }
}

impl Partitions {
    pub(super) fn of(runtime: &Runtime) -> Self {
        Self { inner: Arc::clone(&runtime.inner) }
    }

    /// How many partitions the journal has.
    #[must_use]
    pub fn count(&self) -> PartitionCount {
        self.inner.parts.partitions.count()
    }

    /// What the engine does with a partition at the moment; it is closed, too, when the journal has no such partition.
    #[must_use]
    pub fn state(&self, partition: Partition) -> PartitionState {
        let handle = self.inner.parts.partitions.get(partition);
        handle.map_or(PartitionState::Closed, |handle| handle.state())
    }

    /// A term for one or several partitions that has not begun.
    #[must_use]
    pub fn new_term(&self) -> PartitionTerm {
        PartitionTerm(Arc::new(Term::within(Arc::clone(&self.inner.parts.term))))
    }

    /// Opens a partition: from now on its commands are served here, as long as `term` lasts, or the engine's lease where none
    /// is given. Its entities recover when they are asked, and behind everything that was sent of them before it was closed:
    /// until that is settled the partition is [restarting](PartitionState::Restarting), and its commands wait.
    ///
    /// # Errors
    /// [`PartitionNotOpened`] when it is open, is being closed, or cannot be started.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the request back.
    pub async fn open(
        &self,
        partition: Partition,
        term: Option<PartitionTerm>,
    ) -> Result<(), PartitionNotOpened> {
        let term =
            term.map_or_else(|| Arc::clone(&self.inner.parts.term), |PartitionTerm(term)| term);
        let (opened, answer) = oneshot::channel();
        let _ = self.supervisor().cast(SupervisorMessage::Open { partition, term, opened });
        answer.await.unwrap_or(Err(PartitionNotOpened::Ended))
    }

    /// Closes a partition: takes no more commands, answers those that were taken, writes what they changed, and lets its
    /// entities leave memory. What is not finished at the `deadline` fails; that takes a second more at most. A partition
    /// that is closed is closed at once.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing. Another call waits for it, too; of several deadlines the earliest counts.
    pub async fn close(&self, partition: Partition, deadline: Instant) -> Closed {
        let close = Close {
            deadline,
            reason: "the entity's partition was closed before the command was answered",
        };
        let (closed, answer) = oneshot::channel();
        let _ = self.supervisor().cast(SupervisorMessage::Close { partition, close, closed });
        answer.await.unwrap_or_default() // the engine has ended, and its partitions with it
    }

    /// Waits until everything is settled that was sent to the store of a partition: once it is closed, nothing of it is written
    /// behind that.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn settled(&self, partition: Partition) {
        let Some(handle) = self.inner.parts.partitions.get(partition) else { return };
        while handle.has_unsettled() {
            sleep(SETTLE_INTERVAL).await;
        }
    }

    fn supervisor(&self) -> &ActorRef<SupervisorMessage> {
        &self.inner.supervisor
    }
}

impl fmt::Debug for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partitions").field("engine", &self.inner.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        partition::PartitionMessage,
        runtime::idle::{Counter, start_idle},
    };
    use actum_host::cell::GivenUp;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_partition_whose_actor_stops_without_being_asked_is_started_again() {
        let runtime = start_idle(1).await;
        let partitions = runtime.partitions();
        let counter = runtime.entity::<Counter>("a");
        assert_eq!(counter.ask(1).await.expect("it is served"), 1);
        let only = Partition::new(0);
        for sum in 2..6 {
            runtime.inner.parts.partitions[only]
                .send(PartitionMessage::Abandon(GivenUp::because("gone")));
            while runtime.usage().entities > 0 {
                tokio::task::yield_now().await;
            }
            let answer = counter.ask(1).timeout(Duration::from_secs(60)).await;
            assert_eq!(answer.expect("it is served again"), sum);
            assert_eq!(runtime.usage().entities, 1);
        }
        assert_eq!(runtime.health().partitions.running, 1);
        assert!(runtime.shutdown().await.is_clean());
        assert_eq!(partitions.state(only), PartitionState::Closed);
    }
}
