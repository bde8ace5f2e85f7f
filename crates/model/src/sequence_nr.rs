use std::fmt;

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $zero:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            #[doc = $zero]
            pub const ZERO: Self = Self(0);

            /// The number `nr`.
            #[must_use]
            pub const fn new(nr: u64) -> Self {
                Self(nr)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one.
            #[must_use]
            pub fn next(self) -> Self {
                self.plus(1)
            }

            /// The one before; zero has none before it and stays.
            #[must_use]
            pub const fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }

            /// The one `n` further on.
            ///
            /// # Panics
            /// When it would pass 2^64 - 1.
            #[must_use]
            pub fn plus(self, n: u64) -> Self {
                Self(self.0.checked_add(n).expect("one entity is written fewer than 2^64 times"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

counter! {
    /// Counts the events of one entity: contiguous, the first is 1.
    SequenceNr, "Before the first event."
}

counter! {
    /// Counts the writes of one durable-state entity, deletions included: the first is 1.
    Revision, "Before the first write."
}

// A cell counts both kinds of writes with one number.
impl From<Revision> for SequenceNr {
    fn from(revision: Revision) -> Self {
        Self(revision.0)
    }
}

impl From<SequenceNr> for Revision {
    fn from(nr: SequenceNr) -> Self {
        Self(nr.0)
    }
}
