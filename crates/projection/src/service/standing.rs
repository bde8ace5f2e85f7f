use actum_persistence::{
    progress::{PROJECTIONS_AT_ONCE_MAX, ProgressStore, StoredProjection},
    store::StoreError,
};
use actum_reader::versions::FollowLimit;
use std::num::NonZeroU32;

/// What a version of a projection is among the others of its name, as this process has seen it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not seen yet.
    #[default]
    Unknown,
    Active,
    /// It follows the active version, if there is one.
    Follows(Option<FollowedVersion>),
}

/// The active version of one that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FollowedVersion {
    pub(super) version: NonZeroU32,
    pub(super) limit: FollowLimit,
}

impl Standing {
    /// That of a version that is not active, beside this one.
    pub(super) fn behind(active: Option<&StoredProjection>) -> Self {
        let followed = |active: &StoredProjection| FollowedVersion {
            version: active.id.version(),
            limit: FollowLimit::of(active),
        };
        Self::Follows(active.map(followed))
    }
}

/// The active version of a name; none if no version is active.
pub(super) async fn active_version(
    progress: &dyn ProgressStore,
    name: &str,
) -> Result<Option<StoredProjection>, StoreError> {
    // another one may become active behind the list, or while many are read
    for _ in 0..2 {
        let mut versions = progress.projections().await?;
        versions.retain(|id| id.name() == name);
        for versions in versions.chunks(PROJECTIONS_AT_ONCE_MAX) {
            for found in progress.load_all(versions).await? {
                if let Some(found) = found?.filter(|found| found.is_active) {
                    return Ok(Some(found));
                }
            }
        }
    }
    Ok(None)
}

/// Whether it has not come to where the journal ended when it was begun, and another version is active.
pub(super) fn is_rebuilding(stored: &StoredProjection) -> bool {
    let (read, target) = rebuilt(stored);
    !stored.is_active && read < target
}

/// How many positions a version has read of those that were there when it was begun, and how many those are.
pub(super) fn rebuilt(stored: &StoredProjection) -> (u64, u64) {
    let read_to = stored.read_to();
    let lanes = read_to.positions().iter().zip(stored.live_from.positions());
    lanes.fold((0, 0), |(read, target), (at, end)| (read + at.min(end).get(), target + end.get()))
}
