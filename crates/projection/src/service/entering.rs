use super::{shared::SharedProjection, standing::active_version, start_offset::start_offset};
use actum_model::Offset;
use actum_persistence::{
    progress::{NewProjection, Segment, StoredProjection},
    store::StoreError,
};
use actum_reader::versions::FollowLimit;

/// What is kept of a projection that may run.
pub(crate) struct EnteredVersion {
    pub(crate) stored: StoredProjection,
    /// Whether it was entered just now, and begins with the first event.
    pub(crate) begins_with_first: bool,
}

/// Enters the projection if it is not there. One that would begin beside an active version has the segments of that at
/// least, and begins no further on.
///
/// # Errors
/// [`StoreError::Invalid`] when it cannot begin.
pub(crate) async fn enter(shared: &SharedProjection) -> Result<EnteredVersion, StoreError> {
    if let Some(stored) = shared.progress.load(&shared.id).await? {
        return Ok(EnteredVersion { stored, begins_with_first: false });
    }
    let (events, settings) = (shared.feed.events(), &shared.registration.settings);
    let active = active_version(&*shared.progress, shared.id.name()).await?;
    if let Some(active) = active.as_ref().filter(|it| it.id.version() > shared.id.version()) {
        return Err(StoreError::invalid(format!(
            "version {} of the projection `{}` is active, and nothing is kept of version {}: an older version does not begin beside a newer one",
            active.id.version(),
            shared.id.name(),
            shared.id.version()
        )));
    }
    let (layout, heads) = (events.layout(), events.heads().await?);
    let mut start = start_offset(&**events, &settings.start_at, &heads).await?;
    let mut segments = Segment::divide(layout.partitions, settings.segments);
    if let Some(active) = active.filter(|active| active.layout == layout) {
        segments = FollowLimit::of(&active).divided(&segments);
        // what that has not handled yet is handled by this one, if it becomes active before
        let read_to = active.read_to();
        let places = start.positions().iter().zip(read_to.positions());
        start = Offset::of_positions(places.map(|(at, end)| *at.min(end)).collect::<Vec<_>>());
    }
    let begins_with_first = start == Offset::beginning(layout.lanes);
    let new = NewProjection {
        id: shared.id.clone(),
        sources: shared.registration.sources.clone(),
        layout,
        segments,
        start,
        live_from: heads,
    };
    Ok(EnteredVersion { stored: shared.progress.enter(&new).await?, begins_with_first })
}

/// In what the projection differs from what is kept of it, so that it cannot go on.
pub(super) fn differs(stored: &StoredProjection, shared: &SharedProjection) -> Option<String> {
    let (id, sources) = (&stored.id, &shared.registration.sources);
    let layout = shared.feed.events().layout();
    if stored.sources != *sources {
        return Some(format!(
            "the projection {id} was begun with the sources {:?} and has {sources:?} now: raise its version, so that it begins again",
            stored.sources
        ));
    }
    if stored.layout != layout {
        return Some(format!(
            "the progress of the projection {id} is of another journal: that has {} partitions and {} lanes, this one {} and {}: keep its progress in another database, or give it another name",
            stored.layout.partitions.get(),
            stored.layout.lanes.get(),
            layout.partitions.get(),
            layout.lanes.get()
        ));
    }
    None
}
