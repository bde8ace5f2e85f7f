use actum_model::Offset;

/// How far the lanes of a journal go.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    pub(crate) offset: Offset,
    /// How often an event was gone that had been known.
    pub(crate) regressed: u64,
}
