use super::StoreFixture;
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::store::JournalLayout;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// When a case is taken for stuck.
const CASE_TIMEOUT: Duration = Duration::from_secs(120);

/// What a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// One thread, a journal of one lane.
    Plain,
    /// Three threads, so that tasks meet anywhere; a journal of one lane.
    Crowded,
    /// One thread, a journal of four lanes.
    Lanes,
    /// Three threads, a journal of four lanes.
    CrowdedLanes,
}

/// Creates a fixture and runs a case on it, on a runtime of its own. [`store_conformance!`](crate::store_conformance)
/// expands to calls of this.
///
/// # Panics
/// When the case fails.
pub fn run<Make, Made, Fixture, Case>(plan: Plan, make: Make, case: Case)
where
    Make: FnOnce(JournalLayout) -> Made,
    Made: Future<Output = Fixture>,
    Fixture: StoreFixture,
    Case: AsyncFnOnce(&dyn StoreFixture),
{
    plan.run(async {
        let fixture = make(plan.layout()).await;
        if fixture.is_available() {
            case(&fixture).await;
        }
    });
}

impl Plan {
    /// Runs a case on a runtime of its own, for as long as a case may take.
    pub(super) fn run(self, case: impl Future<Output = ()>) {
        self.run_boxed(Box::pin(case));
    }

    /// Not generic, so that a runtime is compiled once and not again with each of hundreds of cases.
    fn run_boxed(self, case: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.runtime().block_on(async {
            let done = tokio::time::timeout(CASE_TIMEOUT, case).await;
            done.unwrap_or_else(|_| panic!("the case is not through after {CASE_TIMEOUT:?}"));
        });
    }

    fn layout(self) -> JournalLayout {
        let lanes = match self {
            Self::Plain | Self::Crowded => 1,
            Self::Lanes | Self::CrowdedLanes => 4,
        };
        JournalLayout {
            lanes: LaneCount::new(lanes).expect("there is a lane"),
            partitions: PartitionCount::default(),
        }
    }

    fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::Crowded | Self::CrowdedLanes => Builder::new_multi_thread(),
            Self::Plain | Self::Lanes => Builder::new_current_thread(),
        };
        // a multi-thread runtime of three workers: more than this machine may have, so that they also preempt
        // each other; the number means nothing to the other kind
        builder.worker_threads(3).enable_all().build().expect("a runtime starts")
    }
}
