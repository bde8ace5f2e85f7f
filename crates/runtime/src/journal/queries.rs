use super::wanted_read::{Answers, WantedRead};
use actum_host::{
    cell::{FoundState, Read},
    partition::Found,
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    CommandRead, EntityPage, EntityRead, PageLimit, Recovered, RecoveryRead, StoreError, Stores,
    recover_carefully,
};
use std::num::NonZeroU32;

/// Answers a batch of reads with one query for each kind of read that is in it; in the order of the batch.
pub(super) async fn answer(stores: &Stores, batch: &[WantedRead], limit: PageLimit) -> Answers {
    let mut answers: Vec<Option<Result<Found, StoreError>>> = batch.iter().map(|_| None).collect();
    let mut starts = Group::default();
    let mut pages = Group::default();
    let mut states = Group::default();
    let mut event_records = Group::default();
    let mut command_records = Group::default();
    let mut commands_before = Group::default();
    for (at, wanted) in batch.iter().enumerate() {
        match &wanted.read {
            Read::Start { entity, snapshot_at_most } if is_newest_or_none(*snapshot_at_most) => {
                let snapshot = *snapshot_at_most != SequenceNr::ZERO;
                starts.push(at, RecoveryRead { entity: entity.clone(), snapshot });
            }
            Read::Start { entity, snapshot_at_most } => {
                answers[at] = Some(older_snapshot(stores, entity, *snapshot_at_most, limit).await);
            }
            Read::Page { entity, after } => {
                pages.push(at, EntityRead { entity: entity.clone(), after: *after });
            }
            Read::State { entity } => states.push(at, entity.clone()),
            Read::EventRecord { entity, sequence_nr } => {
                let (entity, sequence_nr) = (entity.clone(), *sequence_nr);
                event_records.push(at, EventRecordRead { entity, sequence_nr });
            }
            Read::CommandRecord(read) => command_records.push(at, CommandRecordRead(read.clone())),
            Read::CommandsBefore(read) => commands_before.push(at, read.clone()),
        }
    }
    starts.answer(&mut answers, stores, limit).await;
    pages.answer(&mut answers, stores, limit).await;
    states.answer(&mut answers, stores, limit).await;
    event_records.answer(&mut answers, stores, limit).await;
    command_records.answer(&mut answers, stores, limit).await;
    commands_before.answer(&mut answers, stores, limit).await;
    answers.into_iter().map(|answer| answer.expect("every read is in one group")).collect()
}

/// A kind of read that a store answers for many entities at once.
trait Question: Sized + Sync {
    fn ask(
        questions: &[Self],
        stores: &Stores,
        limit: PageLimit,
    ) -> impl Future<Output = Result<Vec<Found>, StoreError>> + Send;
}

impl Question for RecoveryRead {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        limit: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let found = stores.recovery.recover(questions, limit).await?;
        Ok(found.into_iter().map(Found::Events).collect())
    }
}

impl Question for EntityRead {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        limit: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let found = stores.events.read_entities(questions, limit).await?;
        Ok(found.into_iter().map(|page| Found::Events(Recovered::new(None, page))).collect())
    }
}

impl Question for EntityKey {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        _: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let found = stores.states.load(questions).await?;
        Ok(found.into_iter().map(|found| Found::State(FoundState::Record(found))).collect())
    }
}

/// Asks for the metadata of one event.
struct EventRecordRead {
    entity: EntityKey,
    sequence_nr: SequenceNr,
}

impl Question for EventRecordRead {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        _: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let reads: Vec<_> = questions.iter().map(Self::page).collect();
        let one = PageLimit::default().with_events(NonZeroU32::MIN);
        let found = stores.events.read_entities(&reads, one).await?;
        Ok(questions.iter().zip(found).map(|(read, page)| read.in_page(page)).collect())
    }
}

impl EventRecordRead {
    fn page(&self) -> EntityRead {
        let after = SequenceNr::new(self.sequence_nr.get().saturating_sub(1));
        EntityRead { entity: self.entity.clone(), after }
    }

    fn in_page(&self, page: EntityPage) -> Found {
        let sequence_nr = self.sequence_nr;
        let event = page.events.into_iter().find(|event| event.sequence_nr == sequence_nr);
        Found::Record { sequence_nr, found: Ok(event.map(|event| event.metadata)) }
    }
}

/// Asks for what was recorded of one command of a durable state.
struct CommandRecordRead(CommandRead);

impl Question for CommandRecordRead {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        _: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let reads: Vec<_> = questions.iter().map(|Self(read)| read.clone()).collect();
        let found = stores.states.command_records(&reads).await?;
        let record = |(read, record): (CommandRead, _)| Found::Record {
            sequence_nr: read.revision.into(),
            found: Ok(record),
        };
        Ok(reads.into_iter().zip(found).map(record).collect())
    }
}

impl Question for CommandRead {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        _: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let found = stores.states.commands_before(questions).await?;
        Ok(found.into_iter().map(|found| Found::State(FoundState::Commands(found))).collect())
    }
}

/// Reads of one kind, and where their answers belong.
struct Group<R> {
    places: Vec<usize>,
    reads: Vec<R>,
}

impl<R> Default for Group<R> {
    fn default() -> Self {
        Self { places: Vec::new(), reads: Vec::new() }
    }
}

impl<R: Question> Group<R> {
    fn push(&mut self, place: usize, read: R) {
        self.places.push(place);
        self.reads.push(read);
    }

    /// Asks for all together; when the answer is that something is corrupt, for each alone, so that one damaged entity
    /// does not keep its neighbours out.
    async fn answer(
        self,
        answers: &mut [Option<Result<Found, StoreError>>],
        stores: &Stores,
        limit: PageLimit,
    ) {
        if self.reads.is_empty() {
            return;
        }
        let together = R::ask(&self.reads, stores, limit)
            .await
            .and_then(|found| complete(found, self.reads.len()));
        match together {
            Ok(found) => {
                for (place, found) in self.places.into_iter().zip(found) {
                    answers[place] = Some(Ok(found));
                }
            }
            Err(StoreError::Corrupt { .. } | StoreError::Invalid { .. })
                if self.reads.len() > 1 =>
            {
                for (place, read) in self.places.into_iter().zip(&self.reads) {
                    let alone = R::ask(std::slice::from_ref(read), stores, limit)
                        .await
                        .and_then(|found| complete(found, 1));
                    answers[place] = Some(alone.map(|mut found| found.remove(0)));
                }
            }
            Err(error) => {
                for place in self.places {
                    answers[place] = Some(Err(error.clone()));
                }
            }
        }
    }
}

fn complete(found: Vec<Found>, asked: usize) -> Result<Vec<Found>, StoreError> {
    if found.len() == asked {
        return Ok(found);
    }
    Err(StoreError::corrupt(format!(
        "{asked} entities were asked for, the store answered for {}",
        found.len()
    )))
}

fn is_newest_or_none(snapshot_at_most: SequenceNr) -> bool {
    snapshot_at_most == SequenceNr::ZERO || snapshot_at_most.get() == u64::MAX
}

/// The rare case: the kind cannot decode the newest snapshot.
async fn older_snapshot(
    stores: &Stores,
    entity: &EntityKey,
    at_most: SequenceNr,
    limit: PageLimit,
) -> Result<Found, StoreError> {
    let (events, snapshots) = (&*stores.events, &*stores.snapshots);
    let recovered = recover_carefully(events, snapshots, entity, at_most, limit).await?;
    Ok(Found::Events(recovered))
}
