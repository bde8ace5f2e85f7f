use super::{
    CatchUp, Lag, ProjectionError, ProjectionState, ProjectionStatus, SegmentStatus,
    event_at::event_behind,
    shared::{ServicePhase, SharedProjection},
    standing::{Standing, rebuilt},
};
use actum_model::{Lane, Position, Timestamp};
use actum_persistence::progress::{StoredProjection, StoredSegment};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// How a projection is, by what is kept of it and what this process knows.
pub(super) async fn read_status(
    shared: &SharedProjection,
    stored: &StoredProjection,
) -> Result<ProjectionStatus, ProjectionError> {
    let heads = shared.feed.events().heads().await?;
    let segments: Vec<_> =
        stored.segments.iter().map(|segment| segment_status(shared, segment)).collect();
    let lanes = stored.layout.lanes;
    let mut behind_in: BTreeMap<Lane, Position> = BTreeMap::new();
    let mut events = 0;
    for (segment, stored) in segments.iter().zip(&stored.segments) {
        let mut behind = 0;
        for lane in stored.segment.lanes(lanes) {
            let (read, head) = (segment.offset.position(lane), heads.position(lane));
            behind += head.get().saturating_sub(read.get());
            if read < head {
                let slowest = behind_in.entry(lane).or_insert(read);
                *slowest = read.min(*slowest);
            }
        }
        events = events.max(behind);
    }
    // positions of two lanes say nothing of which event is older
    let (now, mut age) = (Timestamp::from(SystemTime::now()), Some(Duration::ZERO));
    for (lane, after) in behind_in {
        let oldest = event_behind(&**shared.feed.events(), lane, after).await?;
        let of_lane = oldest.map(|event| now.since(event.event.timestamp));
        age = age.zip(of_lane).map(|(age, of_lane)| age.max(of_lane));
    }
    let rate = shared.rate();
    let eta = match events {
        0 => Some(Duration::ZERO),
        #[expect(clippy::cast_precision_loss, reason = "an estimate is not exact")]
        events if rate > 0.0 => Duration::try_from_secs_f64(events as f64 / rate).ok(),
        _ => None,
    };
    let (read, target) = rebuilt(stored);
    Ok(ProjectionStatus {
        id: stored.id.clone(),
        state: state(shared, stored, &segments),
        lag: Lag { events, age },
        catch_up: (read < target).then_some(CatchUp { read, target }),
        handled: segments.iter().map(|segment| segment.handled).sum(),
        rate,
        eta,
        parked: stored.parked,
        dead_letters: stored.dead_letters,
        missing: shared.missing(),
        segments,
    })
}

fn segment_status(shared: &SharedProjection, stored: &StoredSegment) -> SegmentStatus {
    let local = shared.local(stored.segment);
    let (offset, handled, waits) = match local {
        Some(view) => (view.offset, view.handled, view.waits),
        None => (stored.progress.offset().clone(), stored.handled, None),
    };
    SegmentStatus {
        partitions: stored.segment.partitions(),
        offset,
        owner: stored.owner.clone(),
        handled,
        saved_at: stored.saved_at,
        waits,
        stopped: stored.stopped.clone(),
    }
}

fn state(
    shared: &SharedProjection,
    stored: &StoredProjection,
    segments: &[SegmentStatus],
) -> ProjectionState {
    match shared.phase() {
        ServicePhase::Failed(why) => return ProjectionState::Failed { why },
        ServicePhase::Ended => return ProjectionState::Ended,
        _ if stored.is_paused => return ProjectionState::Paused,
        ServicePhase::Starting(waits) => return ProjectionState::Starting { waits },
        ServicePhase::Running | ServicePhase::Stopped => {}
    }
    let stopped = segments.iter().find_map(|segment| segment.stopped.clone());
    if let Some(why) = stopped {
        return ProjectionState::Stopped { why };
    }
    if shared.phase() == ServicePhase::Stopped {
        return ProjectionState::StoppedHere;
    }
    if let Some(why) = segments.iter().find_map(|segment| segment.waits.clone()) {
        return ProjectionState::Waiting { why };
    }
    if stored.is_active {
        return ProjectionState::Running;
    }
    let active = match &*shared.standing().borrow() {
        Standing::Follows(Some(followed)) => Some(followed.version),
        _ => None,
    };
    match rebuilt(stored) {
        (read, target) if read < target => ProjectionState::Rebuilding { active, read, target },
        _ => ProjectionState::Following { active },
    }
}
