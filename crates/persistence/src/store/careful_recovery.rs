//! The one rule for snapshots that are not as they should be: a snapshot is a hint, and the events are the truth.

use super::{
    EntityPage, EntityRead, EventStore, PageLimit, Recovered, Snapshot, SnapshotFit, SnapshotStore,
    StoreError, covered_event::unanswered, skipped_snapshot::warn_of_skipped,
};
use crate::panics::log_safely;
use actum_model::{EntityKey, SequenceNr};

/// How often a recovery is read again because retention ran between its two reads.
const CATCH_UPS_MAX: usize = 256;

/// Recovers one entity from the newest snapshot at or before `at_most` that can be used, and the events behind it.
///
/// It reads step by step, so stores have a faster way for the usual case: an entity whose newest snapshot
/// [fits](Snapshot::fit). For all others they call this, which is how every store keeps to one rule: a snapshot that
/// cannot be read, is ahead of the journal or is of another history is skipped with a warning, and an older one or
/// the events are used. Where the events are deleted too, the page shows it by its floor.
///
/// # Errors
/// [`StoreError`] when events cannot be read, or the snapshot store cannot be reached: whether the entity needs a
/// snapshot is not known then. [`StoreError::Corrupt`] when no snapshot can be read and events were deleted.
///
/// # Cancel safety
/// Dropping the future has no effect.
pub async fn recover_carefully(
    events: &dyn EventStore,
    snapshots: &dyn SnapshotStore,
    entity: &EntityKey,
    at_most: SequenceNr,
    limit: PageLimit,
) -> Result<Recovered, StoreError> {
    let mut found = recover_once(events, snapshots, entity, at_most, limit).await?;
    for _ in 0..CATCH_UPS_MAX {
        let (taken, floor) = (found.taken_at(), found.page.floor);
        if floor <= taken {
            break;
        }
        // between the two reads a newer snapshot was saved and what it covers deleted, or the snapshot is missing
        found = recover_once(events, snapshots, entity, at_most, limit).await?;
        if found.taken_at() <= taken && found.page.floor <= floor {
            break; // nothing goes on: the snapshot is missing
        }
    }
    Ok(found)
}

async fn recover_once(
    events: &dyn EventStore,
    snapshots: &dyn SnapshotStore,
    entity: &EntityKey,
    at_most: SequenceNr,
    limit: PageLimit,
) -> Result<Recovered, StoreError> {
    let Choice { snapshot, skipped, failed } = choose(events, snapshots, entity, at_most).await?;
    let after = snapshot.as_ref().map_or(SequenceNr::ZERO, |snapshot| snapshot.sequence_nr);
    let page = read_page(events, entity, after, limit).await?;
    match failed {
        Some(error) if page.floor > after => Err(StoreError::corrupt(format!(
            "events of {entity} up to {} were deleted, and its snapshots cannot be read: {error}",
            page.floor
        ))),
        _ => Ok(Recovered { snapshot, page, skipped }),
    }
}

/// Which snapshot is used, why newer ones are not, and the error that kept the store from answering.
#[derive(Default)]
struct Choice {
    snapshot: Option<Snapshot>,
    skipped: Option<String>,
    failed: Option<StoreError>,
}

/// Goes from the newest snapshot to older ones until one fits.
async fn choose(
    events: &dyn EventStore,
    snapshots: &dyn SnapshotStore,
    entity: &EntityKey,
    at_most: SequenceNr,
) -> Result<Choice, StoreError> {
    let mut choice = Choice::default();
    let (mut unproven, mut at_most) = (None, at_most);
    while at_most > SequenceNr::ZERO {
        let snapshot = match snapshots.load(entity, at_most).await {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => break,
            Err(error @ (StoreError::Corrupt { .. } | StoreError::Invalid { .. })) => {
                log_safely(
                    || tracing::warn!(%entity, %error, "snapshots cannot be read, replaying"),
                );
                choice.failed = Some(error);
                break;
            }
            Err(error) => return Err(error),
        };
        let nr = snapshot.sequence_nr;
        match snapshot.fit_in(events).await? {
            SnapshotFit::Fits => {
                choice.snapshot = Some(snapshot);
                return Ok(choice);
            }
            SnapshotFit::TooOld(_) => break, // those before it are older still
            unfit => {
                warn_of_skipped(entity, nr, &unfit.to_string());
                let reason = || format!("the snapshot at {nr} was skipped: {unfit}");
                choice.skipped.get_or_insert_with(reason);
                if matches!(unfit, SnapshotFit::Unproven(at) if at.floor > SequenceNr::ZERO) {
                    unproven = unproven.or(Some(snapshot));
                }
            }
        }
        at_most = nr.previous();
    }
    choice.snapshot = unproven;
    Ok(choice)
}

async fn read_page(
    events: &dyn EventStore,
    entity: &EntityKey,
    after: SequenceNr,
    limit: PageLimit,
) -> Result<EntityPage, StoreError> {
    let read = EntityRead { entity: entity.clone(), after };
    let pages = events.read_entities(&[read], limit).await?;
    pages.into_iter().next().ok_or_else(unanswered)
}
