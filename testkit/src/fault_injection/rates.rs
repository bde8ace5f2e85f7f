use super::{Damage, Fault, Operation};
use fastrand::Rng;

/// How often calls go wrong by chance, each from 0.0 (never, the default) to 1.0 (always).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Rates {
    /// Writes that fail and are not done.
    pub writes_fail: f64,
    /// Writes whose outcome is unknown: a third each is committed, is not, and is once it is resolved.
    pub writes_unknown: f64,
    /// Writes that find a foreign write underneath.
    pub writes_foreign: f64,
    /// Resolutions that fail.
    pub resolves_fail: f64,
    /// Reads of entities, of lanes, and of durable states, their changes and their commands that fail.
    pub reads_fail: f64,
    /// Saves, loads and prunings of snapshots that fail.
    pub snapshots_fail: f64,
    /// Snapshots that come back unreadable, or not at all.
    pub snapshots_damaged: f64,
    /// Calls for the progress of projections, and begins and commits of transactions with rows of theirs, that fail and are
    /// not done.
    pub progress_fails: f64,
    /// Changes of that progress, and commits, whose outcome is unknown: half of them are done.
    pub progress_unknown: f64,
    /// Calls of any kind that let other tasks go first, up to eight times before and eight times after.
    pub delayed: f64,
}

macro_rules! setters {
    ($($setter:ident $field:ident)*) => { $(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $setter(self, rate: f64) -> Self {
            Self { $field: rate, ..self }
        }
    )* };
}

impl Rates {
    setters! {
        with_writes_fail writes_fail
        with_writes_unknown writes_unknown
        with_writes_foreign writes_foreign
        with_resolves_fail resolves_fail
        with_reads_fail reads_fail
        with_snapshots_fail snapshots_fail
        with_snapshots_damaged snapshots_damaged
        with_progress_fails progress_fails
        with_progress_unknown progress_unknown
        with_delayed delayed
    }

    #[track_caller]
    pub(super) fn check(&self) {
        let Self { writes_fail, writes_unknown, writes_foreign, resolves_fail, .. } = *self;
        let Self { reads_fail, snapshots_fail, snapshots_damaged, delayed, .. } = *self;
        let Self { progress_fails, progress_unknown, .. } = *self;
        let writes = [writes_fail, writes_unknown, writes_foreign, resolves_fail];
        let others = [reads_fail, snapshots_fail, snapshots_damaged, delayed];
        let progress = [progress_fails, progress_unknown];
        for rate in writes.into_iter().chain(others).chain(progress) {
            assert!((0.0..=1.0).contains(&rate), "a rate is between 0 and 1: {self:?}");
        }
    }

    /// What chance has for one call.
    pub(super) fn draw(&self, operation: Operation, rng: &mut Rng) -> Fault {
        let mut fault = self.draw_act(operation, rng);
        if hits(rng, self.delayed) {
            fault.yields = (rng.u8(0..=8), rng.u8(0..=8));
        }
        fault
    }

    fn draw_act(&self, operation: Operation, rng: &mut Rng) -> Fault {
        use Operation::{
            Append, ChangeHeads, DeleteSnapshots, Heads, ListEntities, ListKinds, ListSnapshots,
            ListStates, LoadSnapshot, LoadStates, ReadBackward, ReadChanges, ReadCommands,
            ReadEntities, ReadLane, Recover, Resolve, ResolveStates, SaveSnapshots, WriteStates,
        };
        let fails = match operation {
            Append | WriteStates => self.writes_fail,
            Resolve | ResolveStates => self.resolves_fail,
            ReadEntities | ReadBackward | ReadLane | Heads | Recover | LoadStates
            | ReadCommands | ReadChanges | ChangeHeads | ListEntities | ListKinds | ListStates => {
                self.reads_fail
            }
            SaveSnapshots | LoadSnapshot | ListSnapshots | DeleteSnapshots => self.snapshots_fail,
            _ if is_of_progress(operation) => self.progress_fails,
            _ => 0.0,
        };
        if hits(rng, fails) {
            return Fault::unavailable();
        }
        match operation {
            Append | WriteStates if hits(rng, self.writes_unknown) => match rng.u8(0..3) {
                0 => Fault::unknown_committed(),
                1 => Fault::unknown_uncommitted(),
                _ => Fault::unknown_until_resolved(),
            },
            Append | WriteStates if hits(rng, self.writes_foreign) => Fault::foreign_writer(),
            Recover | LoadSnapshot if hits(rng, self.snapshots_damaged) => {
                let damages =
                    [Damage::Bytes, Damage::Manifest, Damage::NewerSchema, Damage::Missing];
                Fault::damaged_snapshot(damages[rng.usize(0..damages.len())])
            }
            _ if changes_progress(operation) && hits(rng, self.progress_unknown) => {
                if rng.bool() {
                    Fault::unknown_committed()
                } else {
                    Fault::unknown_uncommitted()
                }
            }
            _ => Fault::none(),
        }
    }
}

fn is_of_progress(operation: Operation) -> bool {
    Operation::PROGRESS.contains(&operation) || Operation::TRANSACTIONS.contains(&operation)
}

fn changes_progress(operation: Operation) -> bool {
    use Operation::{BeginTransaction, ListLetters, ListParked, ListProjections, LoadProjection};
    let reads = [LoadProjection, ListProjections, ListParked, ListLetters, BeginTransaction];
    is_of_progress(operation) && !reads.contains(&operation)
}

/// Draws nothing where the rate is zero, so that adding a rate leaves the rest of a seed's story alone.
fn hits(rng: &mut Rng, rate: f64) -> bool {
    rate > 0.0 && rng.f64() < rate
}
