use super::{MetadataError, Serializer};
use crate::store::StoredEvent;
use actum_model::Metadata;

impl StoredEvent {
    /// Reads what came with the event's command: command id, correlation, causation, trace context and headers. Costs
    /// nothing when there is none.
    ///
    /// # Errors
    /// [`MetadataError`] when the bytes are damaged.
    pub fn decode_metadata(&self) -> Result<Metadata, MetadataError> {
        Serializer::default().decode_metadata(&self.metadata).map(|(metadata, _)| metadata)
    }
}
