use super::{JournalPlace, needed::Needed, shared::SharedProjection, work::NEVER};
use actum_model::Offset;
use actum_persistence::{error_chain::full_text, panics::log_safely, store::StoreError};
use std::{convert::Infallible, time::Duration};
use tokio::time::sleep;

/// How often it is read what is kept.
const INTERVAL: Duration = Duration::from_secs(10);

/// Keeps the events from being deleted that a projection needs which cannot run, or was stopped in this process: another
/// program may run it again, or runs it now. None is kept for it while nothing is kept of it for this journal.
pub(super) async fn hold_back(shared: &SharedProjection, place: &dyn JournalPlace) -> Infallible {
    let mut needed = Needed::default();
    loop {
        match still_needed(shared, &mut needed).await {
            Ok(offset) => place.has_read(&offset),
            Err(error) => log_safely(|| {
                tracing::warn!(
                    projection = %shared.id, error = full_text(&error),
                    "not known what a projection needs that does not run here, nothing is deleted beyond what was known"
                );
            }),
        }
        sleep(INTERVAL).await;
    }
}

async fn still_needed(
    shared: &SharedProjection,
    needed: &mut Needed,
) -> Result<Offset, StoreError> {
    let (stored, layout) = (shared.progress.load(&shared.id).await?, shared.feed.events().layout());
    match stored.filter(|stored| stored.layout == layout) {
        Some(stored) => needed.of(&*shared.progress, &stored).await.cloned(),
        None => Ok(Offset::of_positions(vec![NEVER; usize::from(layout.lanes.get())])),
    }
}
