use super::event_at::event_at;
use actum_model::{LaneCount, Offset};
use actum_persistence::{
    progress::{LastRead, ReadProgress, Segment},
    store::{EventStore, StoreError},
};

/// Checks that a segment can go on in this journal. Says what is wrong and what a person can do about it, if something is.
pub(super) async fn check_progress(
    events: &dyn EventStore,
    segment: Segment,
    lanes: LaneCount,
    progress: &ReadProgress,
) -> Result<Option<String>, StoreError> {
    let is_wrong = check_journal(events, segment, lanes, progress).await?;
    Ok(is_wrong.map(|what| format!("{what}; {WAYS_OUT}")))
}

/// Checks that the journal ends no earlier than was read of these partitions, and that the event which was read last is still
/// the one at its place. Says what is wrong, if something is.
pub(crate) async fn check_journal(
    events: &dyn EventStore,
    segment: Segment,
    lanes: LaneCount,
    progress: &ReadProgress,
) -> Result<Option<String>, StoreError> {
    let heads = events.heads().await?;
    if let Some(what) = read_beyond(segment, lanes, progress.offset(), &heads) {
        return Ok(Some(what));
    }
    for lane in segment.lanes(lanes) {
        let Some(LastRead { position, event_id }) = progress.last(lane) else { continue };
        if let Some(found) = event_at(events, lane, position).await?
            && found.event.event_id != event_id
        {
            let found = found.event.event_id;
            return Ok(Some(format!(
                "the journal has regressed, or is another one: at {position} of lane {lane} is the event {found}, and {event_id} was read there"
            )));
        }
    }
    Ok(None)
}

/// As [`check_progress`], by how far the segment has read and where the journal ends alone.
pub(super) fn check_read(
    segment: Segment,
    lanes: LaneCount,
    read: &Offset,
    heads: &Offset,
) -> Option<String> {
    read_beyond(segment, lanes, read, heads).map(|what| format!("{what}; {WAYS_OUT}"))
}

fn read_beyond(
    segment: Segment,
    lanes: LaneCount,
    read: &Offset,
    heads: &Offset,
) -> Option<String> {
    segment.lanes(lanes).find_map(|lane| {
        let (read, head) = (read.position(lane), heads.position(lane));
        (read > head).then(|| {
            format!(
                "the journal has regressed, or is another one: lane {lane} ends at {head}, and was read up to {read}"
            )
        })
    })
}

/// What a person can do about it.
const WAYS_OUT: &str = "rewind the projection to where both agree, or reset it";
