use actum_model::Offset;

/// How far the lanes of a journal go.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    pub(crate) offset: Offset,
    /// How often the journal may have become another one: an event was gone that had been known, or the heads were not
    /// reached for a while.
    pub(crate) doubts: u64,
}
