use actum_persistence::store::Incarnation;
use fastrand::Rng;
use parking_lot::Mutex;
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::watch;

/// Which ways of a network are cut, and how long a frame takes on the others.
#[derive(Debug)]
pub(super) struct NetworkWays {
    cuts: Mutex<BTreeSet<(Incarnation, Incarnation)>>,
    /// How long frames take, and more than that by chance.
    delay: Mutex<(Duration, Option<(Duration, Rng)>)>,
    /// Counts the changes of what is cut.
    changed: watch::Sender<u64>,
}

impl Default for NetworkWays {
    fn default() -> Self {
        let (cuts, delay) = (Mutex::default(), Mutex::default());
        Self { cuts, delay, changed: watch::Sender::new(0) }
    }
}

impl NetworkWays {
    pub(super) fn delay(&self) -> Duration {
        let (least, more) = &mut *self.delay.lock();
        let more = more.as_mut().map(|(most, rng)| most.mul_f64(rng.f64()));
        *least + more.unwrap_or_default()
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        *self.delay.lock() = (delay, None);
    }

    pub(super) fn set_chance_delay(&self, seed: u64, delay_max: Duration) {
        *self.delay.lock() = (Duration::ZERO, Some((delay_max, Rng::with_seed(seed))));
    }

    pub(super) fn cut(&self, from: Incarnation, to: Incarnation) {
        self.cuts.lock().insert((from, to));
    }

    pub(super) fn heal(&self) {
        self.cuts.lock().clear();
        self.changed.send_modify(|changes| *changes += 1);
    }

    /// Whether one of both directions is cut.
    pub(super) fn is_cut(&self, one: Incarnation, other: Incarnation) -> bool {
        let cuts = self.cuts.lock();
        cuts.contains(&(one, other)) || cuts.contains(&(other, one))
    }

    /// Waits until frames go in this direction.
    pub(super) async fn is_open(&self, from: Incarnation, to: Incarnation) {
        let mut changed = self.changed.subscribe();
        while self.cuts.lock().contains(&(from, to)) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}
