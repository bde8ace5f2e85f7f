use super::{Damage, Gate, Operation};
use actum_model::StoredPayload;
use actum_persistence::{progress::ProjectionId, store::StoreError};

/// What goes wrong in one call of a store, and when.
///
/// # Examples
/// ```
/// # use actum_testkit::{Fault, Gate};
/// let gate = Gate::closed();
/// // it is committed; once the gate opens, its caller gets an unknown outcome
/// let fault = Fault::unknown_committed().held_after(&gate);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) act: Act,
    pub(super) before: Option<Gate>,
    pub(super) after: Option<Gate>,
    /// How often the call yields to other tasks before and after.
    pub(super) yields: (u8, u8),
    /// Whether it was scripted for one call, which it waits for if it must.
    pub(super) scripted: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Work,
    Fail(StoreError),
    WorkThenFail(StoreError),
    /// The write commits when it is resolved.
    CommitLate,
    Panic,
    ForeignWriter(Option<StoredPayload>),
    Revoke,
    BreakTransaction,
    DamageEvent(Damage),
    DamageSnapshot(Damage),
    DamageState(Damage),
    DamageProjection(ProjectionId),
}

impl Fault {
    fn new(act: Act) -> Self {
        Self { act, before: None, after: None, yields: (0, 0), scripted: false }
    }

    /// Nothing goes wrong: for a call that is only held, or to let some calls pass before the next fault.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Act::Work)
    }

    /// The call fails with `error`, and nothing is done.
    #[must_use]
    pub fn fail(error: StoreError) -> Self {
        Self::new(Act::Fail(error))
    }

    /// The call fails with [`StoreError::Unavailable`], and nothing is done.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::fail(StoreError::unavailable("scripted fault", "the store is away"))
    }

    /// The call is done, and fails with `error` all the same. When it fails by itself, that error is returned.
    #[must_use]
    pub fn work_then_fail(error: StoreError) -> Self {
        Self::new(Act::WorkThenFail(error))
    }

    /// The call fails with [`StoreError::OutcomeUnknown`], and nothing was or will be done.
    #[must_use]
    pub fn unknown_uncommitted() -> Self {
        Self::fail(unknown())
    }

    /// The call is done, and fails with [`StoreError::OutcomeUnknown`].
    #[must_use]
    pub fn unknown_committed() -> Self {
        Self::work_then_fail(unknown())
    }

    /// The call fails with [`StoreError::OutcomeUnknown`] while its write is still on its way: it commits at the moment
    /// it is resolved, or never if it is not. Who takes a read for a resolution is wrong. For writes only.
    #[must_use]
    pub fn unknown_until_resolved() -> Self {
        Self::new(Act::CommitLate)
    }

    /// The call panics, and nothing is done.
    #[must_use]
    pub fn panic() -> Self {
        Self::new(Act::Panic)
    }

    /// Another writer has written to the first entity of the batch just before, so that entity gets a conflict and the
    /// others do not. The foreign writer writes what the batch was about to write first. For writes only.
    #[must_use]
    pub fn foreign_writer() -> Self {
        Self::new(Act::ForeignWriter(None))
    }

    /// As [`foreign_writer`](Self::foreign_writer), and the foreign writer writes `payload`.
    #[must_use]
    pub fn foreign_writer_of(payload: StoredPayload) -> Self {
        Self::new(Act::ForeignWriter(Some(payload)))
    }

    /// The writer is revoked just before, so the call gets [`StoreError::Fenced`], and so does every later one. For
    /// writes only.
    #[must_use]
    pub fn revoked() -> Self {
        Self::new(Act::Revoke)
    }

    /// The transaction had ended before it was to be committed: its commit is
    /// [`SaveError::Broken`](actum_persistence::progress::SaveError::Broken), and nothing is kept. For commits of
    /// [transactions](super::FaultTarget) only.
    #[must_use]
    pub fn broken_transaction() -> Self {
        Self::new(Act::BreakTransaction)
    }

    /// The first event that is read comes back damaged. A call that reads none leaves the fault for the next one.
    #[must_use]
    pub fn damaged_event(damage: Damage) -> Self {
        Self::new(Act::DamageEvent(damage))
    }

    /// The first snapshot that is read comes back damaged; a call that reads none leaves the fault for the next one.
    /// [`Damage::Missing`] hides all snapshots of one call, whether there are any or not.
    #[must_use]
    pub fn damaged_snapshot(damage: Damage) -> Self {
        Self::new(Act::DamageSnapshot(damage))
    }

    /// The first durable state that is read comes back damaged. A call that reads none leaves the fault for the next
    /// one.
    #[must_use]
    pub fn damaged_state(damage: Damage) -> Self {
        Self::new(Act::DamageState(damage))
    }

    /// What is kept of this projection cannot be right: of all that a call is about, this one alone is answered with
    /// [`StoreError::Corrupt`]. For calls that load projections only.
    #[must_use]
    pub fn damaged_projection(projection: ProjectionId) -> Self {
        Self::new(Act::DamageProjection(projection))
    }

    /// Holds the call at `gate` before anything is done or goes wrong.
    #[must_use]
    pub fn held_before(self, gate: &Gate) -> Self {
        Self { before: Some(gate.clone()), ..self }
    }

    /// Holds the answer of the call at `gate`, when all is done.
    #[must_use]
    pub fn held_after(self, gate: &Gate) -> Self {
        Self { after: Some(gate.clone()), ..self }
    }

    /// Whether the fault can happen in `operation`.
    pub(super) fn fits(&self, operation: Operation) -> bool {
        use Operation::{
            Append, CommitTransaction, LoadProjection, LoadSnapshot, LoadStates, ReadBackward,
            ReadEntities, ReadLane, Recover, RenewRunner, WriteStates,
        };
        match &self.act {
            Act::Work | Act::Panic | Act::Fail(_) | Act::WorkThenFail(_) => true,
            Act::CommitLate | Act::Revoke => matches!(operation, Append | WriteStates),
            Act::ForeignWriter(_) => matches!(operation, Append | WriteStates),
            Act::BreakTransaction => matches!(operation, CommitTransaction),
            Act::DamageEvent(_) => {
                matches!(operation, Recover | ReadEntities | ReadBackward | ReadLane)
            }
            Act::DamageSnapshot(_) => matches!(operation, Recover | LoadSnapshot),
            Act::DamageState(_) => matches!(operation, LoadStates),
            Act::DamageProjection(_) => matches!(operation, LoadProjection | RenewRunner),
        }
    }
}

pub(super) fn unknown() -> StoreError {
    StoreError::outcome_unknown("scripted fault", "the connection broke")
}
