use super::{
    JournalPlace,
    needed::needed,
    shared::{ServicePhase, SharedProjection},
};
use actum_model::Offset;
use actum_persistence::{error_chain::full_text, panics::log_safely, store::StoreError};
use std::time::Duration;
use tokio::time::sleep;

/// How often it is read what is kept.
const INTERVAL: Duration = Duration::from_secs(10);

/// Keeps the events from being deleted that a projection needs which cannot run: another program may run it again, or runs
/// it now. It ends when the readers are asked to, and when nothing is kept of the projection for this journal.
pub(super) async fn hold_back(shared: &SharedProjection, place: &dyn JournalPlace) {
    if !matches!(shared.phase(), ServicePhase::Failed(_)) {
        return;
    }
    let holding = async {
        loop {
            match still_needed(shared).await {
                Ok(Some(offset)) => place.has_read(&offset),
                Ok(None) => return,
                Err(error) => log_safely(|| {
                    tracing::warn!(
                        projection = %shared.id, error = full_text(&error),
                        "not known what a projection that cannot run needs, nothing is deleted beyond what was known"
                    );
                }),
            }
            sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        biased;
        () = place.ending() => {}
        () = holding => {}
    }
}

async fn still_needed(shared: &SharedProjection) -> Result<Option<Offset>, StoreError> {
    let stored = shared.progress.load(&shared.id).await?;
    match stored.filter(|stored| stored.layout == shared.feed.events().layout()) {
        Some(stored) => needed(&*shared.progress, &stored).await.map(Some),
        None => Ok(None),
    }
}
