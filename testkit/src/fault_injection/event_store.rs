use super::{
    FaultStore, Operation,
    call::Call,
    fault::{Act, unknown},
    faults::Faults,
};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter,
    EventStore, Incarnation, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution,
    StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl EventStore for FaultStore {
    fn layout(&self) -> JournalLayout {
        self.stores().events.layout()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        let call = Call::begin(&self.faults, Operation::Append);
        let _under_way = UnderWay::begin(&self.faults, batch);
        call.held_before().await;
        match &call.fault.act {
            Act::ForeignWriter(payload) => {
                self.append_as_foreign_writer(batch, payload.as_ref()).await?;
            }
            Act::Revoke => self.stores().writers.revoke(batch.incarnation).await?,
            Act::CommitLate => {
                self.faults.script().late_appends.push(batch.clone());
                return call.run_now(async { Err(unknown()) }).await;
            }
            _ => {}
        }
        let outcomes = call.run_now(self.stores().events.append(batch)).await?;
        self.confirm(batch, outcomes.iter().map(Some));
        Ok(outcomes)
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::Resolve);
        let settle = async {
            self.commit_late_append(batch).await?;
            self.stores().events.resolve(batch).await
        };
        let outcomes = call.run(settle).await?;
        self.confirm(batch, outcomes.iter().map(Resolution::stored));
        Ok(outcomes)
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadEntities);
        let pages = call.read(self.stores().events.read_entities(reads, limit)).await?;
        let events = pages.iter().map(|page| page.events.len()).sum();
        self.count_read(reads.len(), events);
        Ok(pages)
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadBackward);
        let page = call.read(self.stores().events.read_backward(entity, before, limit)).await?;
        self.count_read(1, page.events.len());
        Ok(page)
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListEntities);
        call.run(self.stores().events.list_entities(search)).await
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        Call::begin(&self.faults, Operation::ListKinds).run(self.stores().events.kinds()).await
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadLane);
        let page = call.read(self.stores().events.read_lane(lane, after, filter, limit)).await?;
        self.count_read(0, page.events.len());
        Ok(page)
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        Call::begin(&self.faults, Operation::Heads).run(self.stores().events.heads()).await
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        let call = Call::begin(&self.faults, Operation::HasEventsOf);
        call.run(self.stores().events.has_events_of(kind)).await
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        let call = Call::begin(&self.faults, Operation::DeleteEvents);
        call.run(self.stores().events.prune_events(incarnation, deletions)).await
    }

    async fn close(&self) {
        self.stores().events.close().await;
    }
}

impl FaultStore {
    /// Lets a write land that was still on its way.
    async fn commit_late_append(&self, batch: &AppendBatch) -> Result<(), StoreError> {
        let late = {
            let mut script = self.faults.script();
            let place = script.late_appends.iter().position(|late| is_same(late, batch));
            place.map(|place| script.late_appends.remove(place))
        };
        match late {
            None => Ok(()),
            Some(late) => match self.stores().events.append(&late).await {
                // a write that was fenced meanwhile lands nowhere, and that is its resolution
                Ok(_) | Err(StoreError::Fenced { .. }) => Ok(()),
                Err(error) => {
                    self.faults.script().late_appends.push(late);
                    Err(error)
                }
            },
        }
    }

    fn confirm<'a>(
        &self,
        batch: &AppendBatch,
        outcomes: impl Iterator<Item = Option<&'a AppendOutcome>>,
    ) {
        let stored = |outcome: Option<&AppendOutcome>| {
            matches!(outcome, Some(AppendOutcome::Appended { .. }))
        };
        let appends = batch.appends.iter().zip(outcomes);
        let events: usize = appends
            .filter(|(_, outcome)| stored(*outcome))
            .map(|(append, _)| append.events.len())
            .sum();
        self.faults.script().counts.events_confirmed += events as u64;
    }

    pub(super) fn count_read(&self, entities: usize, events: usize) {
        let mut script = self.faults.script();
        script.counts.entities_read += entities as u64;
        script.counts.events_read += events as u64;
    }
}

/// Whether two batches are one: a number is used once by an incarnation.
fn is_same(a: &AppendBatch, b: &AppendBatch) -> bool {
    let first = |batch: &AppendBatch| batch.appends.first().map(|append| append.first_event_nr);
    a.incarnation == b.incarnation && first(a) == first(b)
}

/// Counts an append as under way for as long as it is.
struct UnderWay {
    faults: Faults,
    lane: Lane,
}

impl UnderWay {
    fn begin(faults: &Faults, batch: &AppendBatch) -> Self {
        let mut script = faults.script();
        let at_once = script.under_way.entry(batch.lane).or_default();
        *at_once += 1;
        let (at_once, events) = (*at_once, batch.events());
        let counts = &mut script.counts;
        counts.entity_appends += batch.appends.len() as u64;
        counts.events += events as u64;
        counts.events_at_once_max = counts.events_at_once_max.max(events);
        counts.appends_at_once_max = counts.appends_at_once_max.max(at_once);
        drop(script);
        Self { faults: faults.clone(), lane: batch.lane }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(at_once) = self.faults.script().under_way.get_mut(&self.lane) {
            *at_once -= 1;
        }
    }
}
