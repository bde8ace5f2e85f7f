/// What the runner of a projection wants of the task of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ControlState {
    /// It is to end when what is under way is saved.
    pub(crate) ends: bool,
    /// The segment has another epoch.
    pub(crate) is_lost: bool,
    /// How often something was asked of parked entities and dead letters.
    pub(crate) requests: u64,
}
