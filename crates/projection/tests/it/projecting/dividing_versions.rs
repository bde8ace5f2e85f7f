//! Versions of a projection, side by side, of which one is divided.

use super::{
    dividing::nr as segments,
    processes::for_seeds,
    runner_rig::{Running, parts, start, until},
    version_rig::{Versions, nr},
};
use actum_persistence::progress::StoredProjection;
use actum_projection::{ProjectionError, ProjectionRef, Switch};
use actum_testkit::Faults;
use std::time::Duration;
use tokio::time::sleep;

/// A process that runs both, and switches when it is asked to.
async fn both(versions: &Versions, name: &str) -> Running {
    let faults = Faults::new();
    let all = [1, 2].map(|nr| versions.version(nr, &faults).switch(Switch::WhenAsked).into());
    start(parts(&versions.rig, name, &faults), all).await
}

fn lies_in(version: &StoredProjection, active: &StoredProjection) -> bool {
    version.segments.iter().all(|one| {
        let is_in = |of: &StoredProjection| {
            of.segments.iter().any(|of| of.segment.in_common_with(one.segment) == Some(one.segment))
        };
        is_in(active)
    })
}

async fn until_lies_in(versions: &Versions, version: u32, active: u32) {
    until("it is divided as the active one", async || {
        let (version, active) = (versions.stored(version).await, versions.stored(active).await);
        version.zip(active).is_some_and(|(version, active)| lies_in(&version, &active))
    })
    .await;
}

async fn activate(sums: &ProjectionRef, version: u32) {
    until("it is active", async || match sums.activate(nr(version)).await {
        Ok(()) => true,
        Err(ProjectionError::NotCaughtUp { .. } | ProjectionError::Changing { .. }) => false,
        Err(error) => panic!("{error}"),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_follows_is_divided_where_the_active_one_is() {
    let versions = Versions::new(2).await;
    let running = [both(&versions, "a@1").await, both(&versions, "b@1").await];
    let sums = running[0].service.projection("sums");
    versions.until_active(1).await;
    versions.deposit("a", 10).await;
    versions.until_complete(1).await;
    assert_eq!(sums.version(nr(1)).divide(segments(4)).await.unwrap(), 4);
    until_lies_in(&versions, 2, 1).await;
    assert_eq!(versions.stored(2).await.unwrap().segments.len(), 4);
    assert_eq!(sums.version(nr(1)).divide(segments(2)).await.unwrap(), 2);
    assert_eq!(versions.stored(2).await.unwrap().segments.len(), 4, "they lie in those");
    let merged = sums.version(nr(2)).divide(segments(1)).await.unwrap();
    assert_eq!(merged, 2, "no fewer than the active one");
    activate(&sums, 2).await;
    assert_eq!(sums.divide(segments(3)).await.unwrap(), 3, "the one that is active now");
    until_lies_in(&versions, 1, 2).await;
    assert_eq!(versions.stored(1).await.unwrap().segments.len(), 4);
    for process in running {
        process.end().await;
    }
}

#[test]
fn each_event_is_live_once_however_versions_are_divided_and_switched() {
    for_seeds(8, 2, async |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let versions = Versions::new(rng.u16(1..4)).await;
        let running = [both(&versions, "a@1").await, both(&versions, "b@1").await];
        versions.until_active(1).await;
        let mut asked = Vec::new();
        for _ in 0..60 {
            versions.deposit(&format!("a{}", rng.u8(0..9)), rng.u64(1..9)).await;
            let sums = running[rng.usize(0..2)].service.projection("sums");
            let (version, count) = (nr(rng.u32(1..3)), segments(rng.u16(1..9)));
            match rng.u8(0..6) {
                0 | 1 => asked.push(tokio::spawn(async move {
                    let _ = sums.version(version).divide(count).await;
                })),
                2 => asked.push(tokio::spawn(async move {
                    let _ = sums.activate(version).await;
                })),
                _ => sleep(Duration::from_millis(rng.u64(0..2_000))).await,
            }
        }
        for asked in asked {
            asked.await.unwrap();
        }
        for version in [1, 2] {
            versions.until_complete(version).await;
        }
        versions.assert_live_once(&Default::default());
        for process in running {
            process.end().await;
        }
    });
}
