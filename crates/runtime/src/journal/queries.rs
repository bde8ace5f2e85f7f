use super::reader::{Answers, Wanted};
use crate::{cell::Read, partition::Found};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    EntityRead, PageLimit, Recovered, RecoveryRead, StoreError, Stores, recover_carefully,
};

/// Answers a batch of reads with one query for each kind of read that is in it; in the order of the batch.
pub(super) async fn answer(stores: &Stores, batch: &[Wanted], limit: PageLimit) -> Answers {
    let mut answers: Vec<Option<Result<Found, StoreError>>> = batch.iter().map(|_| None).collect();
    let mut starts = Group::default();
    let mut pages = Group::default();
    let mut states = Group::default();
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
        }
    }
    starts.answer(&mut answers, stores, limit).await;
    pages.answer(&mut answers, stores, limit).await;
    states.answer(&mut answers, stores, limit).await;
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
        Ok(found
            .into_iter()
            .map(|page| Found::Events(Recovered { page, ..Recovered::default() }))
            .collect())
    }
}

impl Question for EntityKey {
    async fn ask(
        questions: &[Self],
        stores: &Stores,
        _: PageLimit,
    ) -> Result<Vec<Found>, StoreError> {
        let found = stores.states.load(questions).await?;
        Ok(found.into_iter().map(Found::State).collect())
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
