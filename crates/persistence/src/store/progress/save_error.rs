use super::super::StoreError;

/// Why a change of progress was not kept.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The segment has another epoch: it was claimed by another runner, released or rewound, or another version was made the
    /// active one. Nothing was changed.
    #[error("the segment was claimed by another runner, released or rewound")]
    Stale,
    /// The transaction that was to hold the change had ended before: rolled back by the database or the handler, or
    /// committed by the handler. Nothing of the change was kept.
    #[error("the transaction of the handler was rolled back or committed by itself{}", fmt_cause(.cause.as_ref()))]
    Broken {
        /// What the database said, if it did.
        cause: Option<StoreError>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn fmt_cause(cause: Option<&StoreError>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause:#}"))
}
