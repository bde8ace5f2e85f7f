//! The projections of a bank, as they are kept: who runs their segments, and how far they have come.

use crate::place::Place;
use actum::{
    Offset,
    progress::{ProjectionId, StoredProjection},
    store::{StoreError, Stores},
};
use bank::{account_list, statements};
use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const PROJECTIONS: [&str; 2] = [account_list::PROJECTION, statements::PROJECTION];
/// How the name of a runner begins that is a bank; what else there is are readers.
const BANK: &str = "bank@";
/// How long it may take until everything is handled that is there when a process is stopped or killed: what one has under way that
/// was stopped is in the way of others until the server ends it, 11 seconds later.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);
/// How often it is looked at what is kept.
const LOOKED_EVERY: Duration = Duration::from_millis(20);
/// How long a file may be locked by others.
const AWAY_MAX: Duration = Duration::from_secs(30);

/// What is kept of the projections, beside whatever processes there are.
pub(super) struct Watched {
    stores: Stores,
}

impl Watched {
    pub(super) async fn at(place: &Place) -> Self {
        Self { stores: place.stores().await }
    }

    async fn load(&self, name: &str) -> StoredProjection {
        let id = ProjectionId::new(name, NonZeroU32::MIN).unwrap();
        let loaded = again_while_away(async || self.stores.progress.load(&id).await).await;
        loaded.expect("the bank has entered it")
    }

    async fn heads(&self) -> Offset {
        again_while_away(async || self.stores.events.heads().await).await
    }

    /// The readers that run a segment, or have died running one.
    pub(super) async fn readers(&self) -> BTreeSet<Arc<str>> {
        let mut readers = BTreeSet::new();
        for name in PROJECTIONS {
            let owners = self.load(name).await.segments.into_iter().filter_map(|one| one.owner);
            readers.extend(owners.filter(|owner| !owner.starts_with(BANK)));
        }
        readers
    }

    /// Waits until so many segments of each projection, of so many, are run by the readers, and the others by the bank; says how
    /// long that took.
    pub(super) async fn until_readers_have(
        &self,
        count: usize,
        of: usize,
        within: Duration,
    ) -> Duration {
        let began = Instant::now();
        for name in PROJECTIONS {
            loop {
                let stored = self.load(name).await;
                assert_eq!(stored.segments.len(), of);
                let owners: Vec<_> =
                    stored.segments.iter().filter_map(|one| one.owner.as_deref()).collect();
                let of_bank = owners.iter().filter(|owner| owner.starts_with(BANK)).count();
                if owners.len() == of && of_bank == of - count {
                    break;
                }
                assert!(began.elapsed() < within, "{name} is run by {owners:?} after {within:?}");
                sleep(LOOKED_EVERY).await;
            }
        }
        began.elapsed()
    }

    /// Waits until everything is handled that is there now.
    pub(super) async fn until_all_is_handled(&self) -> Duration {
        let (began, heads) = (Instant::now(), self.heads().await);
        for name in PROJECTIONS {
            loop {
                let read_to = self.load(name).await.read_to();
                if read_to.positions() >= heads.positions() {
                    break;
                }
                assert!(began.elapsed() < CATCH_UP_MAX, "{name} is at {read_to} of {heads}");
                sleep(LOOKED_EVERY).await;
            }
        }
        began.elapsed()
    }

    /// Nothing was parked, and nothing is a dead letter: every event was handled once, behind the one in front of it.
    pub(super) async fn assert_nothing_failed(&self) {
        for name in PROJECTIONS {
            let StoredProjection { parked, dead_letters, segments, .. } = self.load(name).await;
            assert_eq!((parked, dead_letters), (0, 0), "{name}");
            assert!(segments.iter().all(|segment| segment.stopped.is_none()), "{name}");
        }
    }

    pub(super) async fn close(self) {
        self.stores.close().await;
    }
}

/// A file may be locked by others for a while.
pub(super) async fn again_while_away<T>(read: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let began = Instant::now();
    loop {
        match read().await {
            Ok(read) => return read,
            Err(error @ StoreError::Unavailable { .. }) => {
                assert!(began.elapsed() < AWAY_MAX, "{error}");
                sleep(LOOKED_EVERY).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}
