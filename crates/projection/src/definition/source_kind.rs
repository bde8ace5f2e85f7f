use actum_persistence::progress::{SOURCE_OF_STATES, SOURCE_OF_STREAMS};
use std::{borrow::Cow, fmt};

/// A kind that a projection handles, and what is of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceKind {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) of: SourceModel,
}

/// What the events of a source are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceModel {
    Entities,
    States,
    Streams,
}

impl SourceKind {
    /// Under which name it is kept, of which no other kind has the same.
    pub(crate) fn kept(&self) -> String {
        let prefix = match self.of {
            SourceModel::Entities => "",
            SourceModel::States => SOURCE_OF_STATES,
            SourceModel::Streams => SOURCE_OF_STREAMS,
        };
        format!("{prefix}{}", self.kind)
    }

    /// Whether its name could be kept as that of another one.
    pub(crate) fn is_ambiguous(kind: &str) -> bool {
        [SOURCE_OF_STATES, SOURCE_OF_STREAMS].iter().any(|prefix| kind.starts_with(prefix))
    }
}

impl fmt::Display for SourceModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entities => "entities",
            Self::States => "states",
            Self::Streams => "streams",
        })
    }
}
