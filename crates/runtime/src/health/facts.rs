use super::{Failing, Health, HealthState, LeaseHealth, PartitionHealth, StoreHealth};
use std::time::Duration;

/// What is known of an engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) fenced: bool,
    /// Why the engine cannot go on.
    pub(crate) failed: Option<String>,
    pub(crate) shut_down: bool,
    pub(crate) held_for: Duration,
    pub(crate) renewals: Option<Failing>,
    pub(crate) writes: Option<Failing>,
    pub(crate) partitions: usize,
    pub(crate) restarting: usize,
    pub(crate) stuck: usize,
}

impl Facts {
    /// What they amount to.
    pub(crate) fn into_health(self) -> Health {
        let (state, reasons) = (self.state(), self.reasons());
        let (restarting, stuck) = (self.restarting, self.stuck);
        let running = self.partitions.saturating_sub(restarting + stuck);
        Health {
            state,
            reasons,
            lease: LeaseHealth { held_for: self.held_for, failing: self.renewals },
            store: StoreHealth { failing: self.writes },
            partitions: PartitionHealth { running, restarting, stuck },
        }
    }

    fn state(&self) -> HealthState {
        // what cannot be undone first
        if self.fenced {
            HealthState::Fenced
        } else if self.failed.is_some() {
            HealthState::Failed
        } else if self.shut_down {
            HealthState::ShutDown
        } else if self.held_for.is_zero() {
            HealthState::Suspended
        } else {
            HealthState::Serving
        }
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.fenced {
            reasons.push("another engine has taken over the journal".to_owned());
        }
        reasons.extend(self.failed.as_ref().map(|what| format!("the engine has failed: {what}")));
        if self.shut_down {
            reasons.push("the engine was shut down".to_owned());
        }
        if !self.fenced && !self.shut_down {
            reasons.extend(self.of_lease());
            reasons.extend(self.writes.as_ref().map(|failing| lasting("writes fail", failing)));
            reasons.extend(of_partitions(self.restarting, self.partitions, "being restarted"));
            reasons.extend(of_partitions(self.stuck, self.partitions, "stuck in a handler"));
        }
        reasons
    }

    fn of_lease(&self) -> Option<String> {
        let failing = self.renewals.as_ref().map(|failing| lasting("renewals fail", failing));
        if self.held_for.is_zero() {
            let lapsed = "the writer lease could not be renewed in time";
            return Some(failing.map_or(lapsed.to_owned(), |why| format!("{lapsed}: {why}")));
        }
        let left = rounded(self.held_for);
        failing.map(|why| format!("the writer lease ends in {left:?} unless renewed: {why}"))
    }
}

fn lasting(what: &str, Failing { lasting, error }: &Failing) -> String {
    format!("{what} for {:?}: {error}", rounded(*lasting))
}

fn of_partitions(count: usize, all: usize, what: &str) -> Option<String> {
    let are = if count == 1 { "is" } else { "are" };
    (count > 0).then(|| format!("{count} of {all} partitions {are} {what}"))
}

fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving() -> Facts {
        Facts { held_for: Duration::from_secs(9), partitions: 256, ..Facts::default() }
    }

    fn failing(error: &str) -> Option<Failing> {
        Some(Failing { lasting: Duration::from_micros(1_500_900), error: error.to_owned() })
    }

    #[test]
    fn states_come_with_their_reasons() {
        use HealthState::{Failed, Fenced, Serving, ShutDown, Suspended};
        let (away, full) = (failing("the store is away"), failing("the disk is full"));
        let taken = "another engine has taken over the journal";
        for (facts, state, reasons) in [
            (serving(), Serving, vec![]),
            (
                Facts { renewals: away.clone(), ..serving() },
                Serving,
                vec![
                    "the writer lease ends in 9s unless renewed: renewals fail for 1.5s: the store is away",
                ],
            ),
            (
                Facts { writes: full.clone(), restarting: 1, stuck: 2, ..serving() },
                Serving,
                vec![
                    "writes fail for 1.5s: the disk is full",
                    "1 of 256 partitions is being restarted",
                    "2 of 256 partitions are stuck in a handler",
                ],
            ),
            (
                Facts { held_for: Duration::ZERO, ..serving() },
                Suspended,
                vec!["the writer lease could not be renewed in time"],
            ),
            (
                Facts { held_for: Duration::ZERO, renewals: away.clone(), ..serving() },
                Suspended,
                vec![
                    "the writer lease could not be renewed in time: renewals fail for 1.5s: the store is away",
                ],
            ),
            (Facts { fenced: true, ..serving() }, Fenced, vec![taken]),
            (
                Facts {
                    fenced: true,
                    shut_down: true,
                    held_for: Duration::ZERO,
                    writes: full,
                    ..serving()
                },
                Fenced,
                vec![taken, "the engine was shut down"],
            ),
            (
                Facts { failed: Some("the supervisor has ended".to_owned()), ..serving() },
                Failed,
                vec!["the engine has failed: the supervisor has ended"],
            ),
            (
                Facts { shut_down: true, held_for: Duration::ZERO, renewals: away, ..serving() },
                ShutDown,
                vec!["the engine was shut down"],
            ),
        ] {
            let health = facts.into_health();
            assert_eq!(
                (health.state, health.reasons),
                (state, reasons.iter().map(ToString::to_string).collect())
            );
        }
    }

    #[test]
    fn every_partition_is_counted_once() {
        let health = Facts { restarting: 3, stuck: 2, ..serving() }.into_health();
        let PartitionHealth { running, restarting, stuck } = health.partitions;
        assert_eq!((running, restarting, stuck), (251, 3, 2));
    }
}
