use crate::Moment;
use actum_model::{Metadata, Revision};

/// What comes with a command besides its content.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Ids, trace context and headers.
    pub metadata: Metadata,
    /// When the caller stops waiting.
    pub deadline: Moment,
    /// The revision the entity must be at.
    pub expected_revision: Option<Revision>,
}
