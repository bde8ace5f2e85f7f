use super::{shared::SharedProjection, start_offset::start_offset};
use actum_persistence::{
    progress::{NewProjection, Segment, StoredProjection},
    store::StoreError,
};

/// Enters the projection if it is not there.
pub(crate) async fn enter(shared: &SharedProjection) -> Result<StoredProjection, StoreError> {
    if let Some(stored) = shared.progress.load(&shared.id).await? {
        return Ok(stored);
    }
    let (events, settings) = (shared.feed.events(), &shared.registration.settings);
    let (layout, heads) = (events.layout(), events.heads().await?);
    let start = start_offset(&**events, &settings.start_at, &heads).await?;
    let new = NewProjection {
        id: shared.id.clone(),
        sources: sources(shared),
        layout,
        segments: Segment::divide(layout.partitions, settings.segments),
        start,
        live_from: heads,
    };
    shared.progress.enter(&new).await
}

fn sources(shared: &SharedProjection) -> Vec<String> {
    shared.registration.sources.clone()
}

/// In what the projection differs from what is kept of it, so that it cannot go on.
pub(super) fn differs(stored: &StoredProjection, shared: &SharedProjection) -> Option<String> {
    let (id, sources, layout) = (&stored.id, sources(shared), shared.feed.events().layout());
    if stored.sources != sources {
        return Some(format!(
            "the projection {id} was begun with the sources {:?} and has {sources:?} now: raise its version, so that it begins again",
            stored.sources
        ));
    }
    if stored.layout != layout {
        return Some(format!(
            "the progress of the projection {id} is of another journal: that has {} partitions and {} lanes, this one {} and {}",
            stored.layout.partitions.get(),
            stored.layout.lanes.get(),
            layout.partitions.get(),
            layout.lanes.get()
        ));
    }
    None
}
