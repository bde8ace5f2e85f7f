use actum_testkit::Rates;
use fastrand::Rng;
use std::time::Duration;

/// What a seed makes of a run.
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) entities: usize,
    pub(crate) partitions: u16,
    /// Nothing goes wrong; nodes only come and leave.
    pub(crate) is_calm: bool,
    /// How long nodes run one after another: what they send each other is a little late by that.
    pub(crate) tick: Duration,
    pub(crate) store_delay_max: Duration,
    pub(crate) network_delay_max: Duration,
    pub(crate) rates: Rates,
    /// How often something goes wrong, in a thousand ticks.
    pub(crate) mishaps_per_mille: u64,
    pub(crate) commands_per_mille: u64,
}

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Commands without an id are sent twice.
    SentTwice,
    /// A renewal always succeeds, as if no lease ever ended: a member that was removed goes on.
    LeaseForgotten,
    /// One event in the middle of the journal is not there at the end.
    EventLost,
    /// What went wrong with nodes is forgotten, as if those that are removed had been well.
    FineNodeRemoved,
}

impl Plan {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let is_calm = rng.u8(0..4) == 0;
        let rate = |rng: &mut Rng| f64::from(rng.u8(0..4)) / 100.0;
        let rates = Rates::default()
            .with_writes_unknown(rate(rng))
            .with_writes_fail(rate(rng))
            .with_reads_fail(rate(rng))
            .with_resolves_fail(rate(rng))
            .with_delayed(0.2);
        let tick = rng.u64(3..=9);
        Self {
            nodes: rng.usize(3..=5),
            entities: rng.usize(3..=12),
            partitions: rng.u16(8..=16),
            is_calm,
            tick: Duration::from_millis(tick),
            store_delay_max: Duration::from_millis(rng.u64(0..=12)),
            network_delay_max: Duration::from_millis(rng.u64(0..=12)),
            rates: if is_calm { Rates::default() } else { rates },
            // on the average one in 0.3 to 3 seconds
            mishaps_per_mille: if is_calm { tick / 2 } else { tick * 10 / rng.u64(3..=30) },
            commands_per_mille: tick * rng.u64(10..=60),
        }
    }
}
