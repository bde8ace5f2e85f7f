use super::{
    Aggregate, Identity, Job, KindContext, ModelTypes, Read, TakenSnapshot, Turn, guard,
    model_types::IdOf,
};
use crate::Failure;
use actum_model::{Change, EntityId, EntityKey, SequenceNr};

/// How the state of an entity is kept: as its events, or whole.
pub trait Model: ModelTypes {
    /// What a cell reads first.
    fn first_read(entity: &EntityKey, kind: &KindContext<Self::Entity>) -> Read;

    /// How the record of the command is read whose last change is `sequence_nr`.
    fn record_read(entity: &EntityKey, sequence_nr: SequenceNr) -> Read;

    /// What is to be read after `found`, which was read behind `at`, as far as that is known before it is decoded.
    fn read_ahead(
        entity: &EntityKey,
        at: SequenceNr,
        older: &Self::Older,
        found: &Self::Found,
    ) -> Option<Read>;

    /// Takes what was read into the aggregate.
    fn rebuild(
        entity: &EntityKey,
        aggregate: &mut Aggregate<Self::Entity>,
        older: &mut Self::Older,
        found: Self::Found,
        kind: &KindContext<Self::Entity>,
    ) -> Result<Progress, Failure>;

    /// How many events led to the aggregate as it was read, behind its snapshot.
    fn replayed(aggregate: &Aggregate<Self::Entity>) -> u64;

    /// Encodes a change, takes it into the state, lets the job conclude and stages the change. One that turns out to
    /// be none leaves all that to the caller. With an identity, its reply is recorded too.
    fn stage(
        id: &IdOf<Self>,
        aggregate: &mut Aggregate<Self::Entity>,
        staged: &mut Self::Staged,
        change: Change<Self::Entity>,
        identity: Option<&Identity>,
        job: &mut dyn Job<Self::Entity>,
        turn: &Turn<'_, Self>,
    ) -> Result<Changes, StageError>;

    /// Takes everything staged, to be written behind `expected`.
    fn write(
        entity: &EntityKey,
        aggregate: &mut Aggregate<Self::Entity>,
        staged: &mut Self::Staged,
        expected: SequenceNr,
        turn: &Turn<'_, Self>,
    ) -> Self::Write;

    /// Encodes a snapshot of the state as it is now; `None` for a kind without snapshots.
    fn snapshot(
        entity: &EntityKey,
        aggregate: &Aggregate<Self::Entity>,
        turn: &Turn<'_, Self>,
    ) -> Option<TakenSnapshot>;
}

/// What was staged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// How many sequence numbers, or revisions, it takes.
    pub count: u64,
    /// How many bytes of payload and metadata.
    pub bytes: usize,
}

/// How far a recovery is.
#[derive(Debug)]
pub enum Progress {
    /// The aggregate is what the journal says.
    Done,
    /// This must be read next.
    More(Read),
    /// Events up to `floor` were deleted before they were read. If that was just now, a snapshot covers them that was not
    /// there before: it is worth beginning again. Otherwise this is the failure.
    Overtaken { floor: SequenceNr, failure: Failure },
}

/// Why a change was not staged.
#[derive(Debug)]
pub enum StageError {
    /// The state is as it was.
    Refused(Failure),
    /// The state has taken in what will never be stored: it must go.
    Poisoned(Failure),
}

/// What a change takes beside its encoded bytes, at least: so that many small ones are counted too.
pub const CHANGE_BYTES: usize = 128;

/// Reads the id back from the key's text, once an activation.
pub(super) fn id_of<M: Model>(entity: &EntityKey) -> Result<IdOf<M>, Failure> {
    guard(|| IdOf::<M>::from_text(entity.id()))
        .map_err(|message| Failure::Panicked { command: "from_text", message })?
        .map_err(|error| Failure::invalid(error.to_string()))
}
