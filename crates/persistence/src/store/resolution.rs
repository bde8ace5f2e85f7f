/// What was found out about a write whose outcome was unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution<O> {
    /// It is stored, and this is its outcome.
    Stored(O),
    /// It is not stored: not now and not later.
    NotStored,
    /// It cannot be found out any more, and asking again does not help: what would tell it was deleted or written over
    /// meanwhile.
    Untraceable {
        /// What was done to it.
        why: String,
    },
}

impl<O> Resolution<O> {
    /// [`Stored`](Self::Stored), or [`NotStored`](Self::NotStored) for none.
    #[must_use]
    pub fn of(found: Option<O>) -> Self {
        found.map_or(Self::NotStored, Self::Stored)
    }

    /// The outcome of a write that is stored.
    #[must_use]
    pub fn stored(&self) -> Option<&O> {
        match self {
            Self::Stored(outcome) => Some(outcome),
            Self::NotStored | Self::Untraceable { .. } => None,
        }
    }
}
