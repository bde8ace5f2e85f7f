use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{delay_timer::DelayTimer, pending_rules::PendingRules};

/// What the proxy and all of its connections share.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) rules: PendingRules,
    pub(super) timer: DelayTimer,
    weather: watch::Sender<Weather>,
}

/// How the network is at the moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    pub(super) refuses: bool,
    pub(super) stalls: bool,
    pub(super) delay: Duration,
    /// How many times all connections were cut.
    pub(super) cuts: u64,
}

impl Conditions {
    pub(super) fn new() -> Self {
        let weather = watch::Sender::new(Weather::default());
        Self { rules: PendingRules::default(), timer: DelayTimer::start(), weather }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    pub(super) fn now(&self) -> Weather {
        *self.weather.borrow()
    }

    /// When bytes that were read now are to be delivered.
    pub(super) fn due(&self) -> Option<Instant> {
        let delay = self.weather.borrow().delay;
        (!delay.is_zero()).then(|| Instant::now() + delay)
    }

    /// Waits until bytes may be delivered: it is time, and nothing stalls.
    pub(super) async fn deliverable(&self, due: Option<Instant>) {
        if let Some(due) = due {
            self.timer.until(due).await;
        }
        self.flowing().await;
    }

    /// Waits while the network stalls.
    pub(super) async fn flowing(&self) {
        if self.weather.borrow().stalls {
            self.wait_for(|weather| !weather.stalls).await;
        }
    }

    /// Whether all connections were cut more often than `cuts` times. It is true before anybody who waits is woken: a side
    /// that sees the other one end can see by it whether that was a cut.
    pub(super) fn is_cut_after(&self, cuts: u64) -> bool {
        self.weather.borrow().cuts > cuts
    }

    /// Waits until all connections were cut more often than `cuts` times.
    pub(super) async fn cut_after(&self, cuts: u64) {
        self.wait_for(|weather| weather.cuts > cuts).await;
    }

    async fn wait_for(&self, reached: impl Fn(&Weather) -> bool) {
        // it cannot end before: this holds the sender
        let _ = self.weather.subscribe().wait_for(|weather| reached(weather)).await;
    }
}
