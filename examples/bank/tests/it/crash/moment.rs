use std::time::Duration;
use tokio::{sync::watch, time::sleep};

/// The most answers a bank gives before it is killed.
const ANSWERS_MAX: usize = 400;

/// When a bank is killed. The delays only scatter the kills: whatever the bank is doing then, it must be right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So long after its process began, which may be before it serves.
    Starting(Duration),
    /// After so many answers, and a little later.
    Serving { answers: usize, and: Duration },
}

impl Moment {
    /// Any moment in the life of a bank that takes so long to start.
    pub(super) fn any(random: &mut fastrand::Rng, start_time: Duration) -> Self {
        if random.u32(..5) == 0 {
            return Self::Starting(start_time.mul_f64(random.f64()));
        }
        let and = Duration::from_micros(random.u64(..3_000));
        Self::Serving { answers: random.usize(..ANSWERS_MAX), and }
    }

    /// Waits for the moment, while others count the answers.
    pub(super) async fn comes(self, mut given: watch::Receiver<usize>) {
        let delay = match self {
            Self::Starting(delay) => delay,
            Self::Serving { answers, and } => {
                let target = *given.borrow() + answers;
                given.wait_for(|given| *given >= target).await.expect("the ledger outlives this");
                and
            }
        };
        sleep(delay).await;
    }
}
