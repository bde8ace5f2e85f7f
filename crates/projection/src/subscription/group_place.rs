use super::consumer_group::ConsumerGroup;
use crate::service::JournalPlace;
use actum_model::Offset;
use async_trait::async_trait;
use std::sync::Arc;

/// The place of a group among those who read the journal: it ends when its consumers have gone, too.
pub(super) struct GroupPlace {
    pub(super) place: Arc<dyn JournalPlace>,
    pub(super) group: Arc<ConsumerGroup>,
}

#[async_trait]
impl JournalPlace for GroupPlace {
    fn has_read(&self, offset: &Offset) {
        self.place.has_read(offset);
    }

    async fn ending(&self) {
        tokio::select! {
            biased; // also where its last consumer has just gone: no other one may come
            () = self.place.ending() => self.group.end(),
            () = self.group.abandoned() => {}
        }
    }
}
