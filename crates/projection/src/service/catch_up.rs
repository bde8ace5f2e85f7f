/// How far a projection has come on its way to where the journal ended when it was begun, or to what it had read before it was
/// rewound or became active: for a progress bar, whose target stays where it is. What has come since is a part of the
/// [lag](super::Lag).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatchUp {
    /// How many positions of the journal it has read and saved, of those there were then.
    pub read: u64,
    /// How many there were.
    pub target: u64,
}
