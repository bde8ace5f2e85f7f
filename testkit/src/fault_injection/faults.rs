use super::{Counts, Fault, Gate, Operation, Rates, script::Script};
use fastrand::Rng;
use parking_lot::{Mutex, MutexGuard};
use std::{fmt, sync::Arc};

/// Says what goes wrong in a [`FaultStore`](super::FaultStore), and counts what goes through it. Cheap to clone; all
/// clones are one.
///
/// For each call the first that applies decides: what was scripted with [`next`](Self::next), in order; what
/// [`always`](Self::always) says; [`chance`](Self::chance); and otherwise nothing goes wrong.
///
/// # Examples
/// ```
/// # use actum_persistence::store::EventStore;
/// # use actum_store_memory::MemoryStore;
/// use actum_testkit::{Fault, FaultStore, Faults, Operation};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let faults = Faults::new();
/// faults.always(Operation::Heads, Fault::unavailable());
/// // the first two go through all the same
/// faults.next_n(Operation::Heads, 2, Fault::none());
///
/// let store = FaultStore::scripted(MemoryStore::new(), &faults);
/// let calls = [store.heads().await, store.heads().await, store.heads().await];
/// assert_eq!(calls.map(|heads| heads.is_ok()), [true, true, false]);
/// faults.stop();
/// assert!(store.heads().await.is_ok());
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Script>>);

/// What an engine and its node ask of a journal.
const SERVING: [Operation; 13] = [
    Operation::Append,
    Operation::Resolve,
    Operation::Recover,
    Operation::Heads,
    Operation::ChangeHeads,
    Operation::Claim,
    Operation::Release,
    Operation::JoinCluster,
    Operation::ReadMembers,
    Operation::RenewMember,
    Operation::ClaimPartitions,
    Operation::ReleasePartitions,
    Operation::RevokeMember,
];

impl Faults {
    /// Nothing goes wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call of `operation` that has no fault yet gets this one.
    ///
    /// # Panics
    /// When the fault cannot happen there, such as a damaged event in an append.
    #[track_caller]
    pub fn next(&self, operation: Operation, fault: Fault) {
        self.next_n(operation, 1, fault);
    }

    /// The next `count` calls of `operation` that have no fault yet get this one.
    ///
    /// # Panics
    /// As [`next`](Self::next).
    #[track_caller]
    pub fn next_n(&self, operation: Operation, count: usize, fault: Fault) {
        check(operation, &fault);
        let fault = Fault { scripted: true, ..fault };
        self.script().next.entry(operation).or_default().extend(std::iter::repeat_n(fault, count));
    }

    /// Holds the next `count` calls of `operation` until the gate is opened; then nothing else goes wrong with them.
    pub fn hold_next(&self, operation: Operation, count: usize) -> Gate {
        let gate = Gate::closed();
        self.next_n(operation, count, Fault::none().held_before(&gate));
        gate
    }

    /// Every call of `operation` gets this fault, until [`stop`](Self::stop).
    ///
    /// # Panics
    /// As [`next`](Self::next).
    #[track_caller]
    pub fn always(&self, operation: Operation, fault: Fault) {
        check(operation, &fault);
        self.script().standing.insert(operation, fault);
    }

    /// The journal is away for an engine and for a node of a cluster: all they ask of it to serve commands and to stay members is
    /// unavailable, until [`stop`](Self::stop). Readers still get their pages.
    pub fn lose_journal(&self) {
        for operation in SERVING {
            self.always(operation, Fault::unavailable());
        }
    }

    /// Lets things go wrong by chance. The same seed and the same calls in the same order give the same faults, so a
    /// test that is to be repeated runs on one thread.
    ///
    /// # Panics
    /// When a rate is not between 0 and 1.
    #[track_caller]
    pub fn chance(&self, seed: u64, rates: Rates) {
        rates.check();
        self.script().chance = Some((Rng::with_seed(seed), rates));
    }

    /// Nothing goes wrong any more. Calls that a gate holds stay there; writes that are still on their way commit when
    /// they are resolved.
    pub fn stop(&self) {
        let mut script = self.script();
        script.next.clear();
        script.standing.clear();
        script.chance = None;
    }

    /// How many scripted faults have not happened yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.script().next.values().map(std::collections::VecDeque::len).sum()
    }

    /// What has gone through so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.script().counts.clone()
    }

    /// How often `operation` was called so far, whatever came of it.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.script().counts.calls(operation)
    }

    /// Counts from zero again.
    pub fn reset_counts(&self) {
        self.script().counts = Counts::default();
    }

    /// What no other faults have.
    pub(super) fn place(&self) -> impl fmt::Display {
        format!("{:p}", Arc::as_ptr(&self.0))
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock()
    }
}

#[track_caller]
fn check(operation: Operation, fault: &Fault) {
    assert!(fault.fits(operation), "{operation:?} cannot have the fault {fault:?}");
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = self.script();
        f.debug_struct("Faults")
            .field("next", &script.next)
            .field("always", &script.standing)
            .field("chance", &script.chance)
            .finish_non_exhaustive()
    }
}
