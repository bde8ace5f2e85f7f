use std::fmt;

/// Why this very value may not be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// NaN or an infinity, where the format writes null for it.
    NotFinite,
    /// `Some` of what has the form of `None`.
    NullInSome,
    /// More levels than the decoder enters.
    TooDeep {
        /// How many it enters.
        max: u32,
    },
    /// A NaN of 32 bits, which may lose bits on its way over 64.
    NarrowNan,
    /// A key that is also the first one of its map, which is where a tag stands.
    RepeatedKey,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite => f.write_str("is a float that is not finite"),
            Self::NullInSome => f.write_str("is a `Some` that is written like `None`"),
            Self::TooDeep { max } => write!(f, "is nested more than {max} levels deep"),
            Self::NarrowNan => f.write_str("is a NaN of 32 bits with bits of its own"),
            Self::RepeatedKey => f.write_str("has its first key twice"),
        }
    }
}
