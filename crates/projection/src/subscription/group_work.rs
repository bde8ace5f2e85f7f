use super::{consumer_group::ConsumerGroup, holding::Holding};
use crate::service::{ControlState, NotDone, SegmentRun, Work, WorkLimits, WorkPlace, give_back};
use actum_persistence::progress::{
    Epoch, ProgressChange, ProgressStore, Rewind, Segment, StoredProjection, StoredSegment,
};
use actum_reader::segment::{Batch, BatchOutcome, SegmentEnd};
use async_trait::async_trait;
use std::sync::{Arc, Weak};
use tokio::sync::watch;

/// Lets the runner of projections hold a subscription: what it claims is run by the subscription itself.
pub(super) struct GroupWork(pub(super) Weak<ConsumerGroup>);

/// A subscription handles no batches.
struct NoBatches;

/// The subscription is held until this is dropped.
struct Held {
    group: Arc<ConsumerGroup>,
    segment: Segment,
    epoch: Epoch,
}

#[async_trait]
impl WorkPlace for GroupWork {
    fn is_exact(&self) -> bool {
        false
    }

    fn progress(&self) -> Option<Arc<dyn ProgressStore>> {
        None
    }

    fn worker(&self, _: &Arc<dyn ProgressStore>, _: WorkLimits) -> Box<dyn Work> {
        Box::new(NoBatches)
    }

    fn runs_itself(
        &self,
        claimed: &StoredSegment,
        wanted: &watch::Receiver<ControlState>,
    ) -> Option<SegmentRun> {
        let group = self.0.upgrade()?;
        let (claimed, wanted) = (claimed.clone(), wanted.clone());
        Some(Box::pin(run(group, claimed, wanted)))
    }

    /// It has entered before its first consumer joined: what is gone since was deleted.
    fn has_entered(&self) -> bool {
        true
    }

    fn has_read(&self, stored: &StoredProjection, me: &str) {
        if let Some(group) = self.0.upgrade() {
            group.has_read(stored, me);
        }
    }

    async fn set_up(&self, _: &WorkLimits) -> Result<(), NotDone> {
        Ok(())
    }

    async fn clear(
        &self,
        progress: &Arc<dyn ProgressStore>,
        rewind: Rewind,
        _: &WorkLimits,
    ) -> Result<(), NotDone> {
        let rewound = progress.change(&ProgressChange::Rewind(rewind)).await;
        rewound.map_err(|error| NotDone {
            why: error.to_string().into(),
            is_stale: matches!(error, actum_persistence::progress::SaveError::Stale),
        })
    }
}

#[async_trait]
impl Work for NoBatches {
    async fn run(&mut self, _: &Batch) -> BatchOutcome {
        BatchOutcome::Stale
    }
}

/// Holds the subscription from a claim to its end.
async fn run(
    group: Arc<ConsumerGroup>,
    claimed: StoredSegment,
    wanted: watch::Receiver<ControlState>,
) -> SegmentEnd {
    let (segment, epoch) = (claimed.segment, claimed.epoch);
    let held = Held { group: Arc::clone(&group), segment, epoch };
    let end = Holding::new(Arc::clone(&group), claimed, wanted).run().await;
    drop(held);
    if let SegmentEnd::Stopped(why) = &end {
        group.stopped(why);
    }
    give_back(group.shared(), segment, epoch, end).await
}

impl Drop for Held {
    fn drop(&mut self) {
        self.group.lost(self.epoch);
        self.group.shared().hide(self.segment, self.epoch);
    }
}
