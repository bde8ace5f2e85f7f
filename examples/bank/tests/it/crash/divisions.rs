//! The projections of a bank are split and merged while it is killed.

use bank::client::Client;
use std::{convert::Infallible, num::NonZeroU16, time::Duration};
use tokio::time::interval;

const PROJECTIONS: [&str; 2] = ["accounts", "statements"];

/// As long as its future is polled. What fails, fails: the bank is killed.
pub(super) async fn divide_all_the_time(client: &Client, mut random: fastrand::Rng) -> Infallible {
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        divide_one(client, 1, &mut random).await;
    }
}

/// Divides any of them into so many segments at least, if that can be done now.
pub(super) async fn divide_one(client: &Client, segments_min: u16, random: &mut fastrand::Rng) {
    let (name, segments) = (random.usize(0..2), segments(segments_min, random));
    let _ = client.divide_projection(PROJECTIONS[name], segments).await;
}

/// How often a division is asked for again that cannot be made: segments of a bank that was killed are taken over first.
const ASKED_MAX: usize = 10;

/// Each has the segments in the end that are asked for.
pub(super) async fn divide_in_the_end(client: &Client, random: &mut fastrand::Rng) {
    for name in PROJECTIONS {
        let segments = segments(1, random);
        let mut refused = None;
        for _ in 0..ASKED_MAX {
            refused = client.divide_projection(name, segments).await.err();
            if refused.is_none() {
                break;
            }
        }
        assert!(refused.is_none(), "{name} is not divided: {refused:?}");
        let shown = client.projections().await.unwrap();
        let shown = shown.into_iter().find(|shown| shown.name == name).unwrap();
        assert_eq!(shown.segments, usize::from(segments.get()));
    }
}

fn segments(min: u16, random: &mut fastrand::Rng) -> NonZeroU16 {
    NonZeroU16::new(random.u16(min..9)).unwrap()
}
