use actum_model::Partition;

/// Which partitions an engine opens as it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenAtStart {
    /// All of them: the engine serves every entity of its journal.
    #[default]
    All,
    /// Only these. The others are closed until they are opened through [`Partitions`](crate::Partitions), and commands to
    /// their entities go elsewhere or are refused.
    Only(Vec<Partition>),
}
