/// What is done about an event that a handler could not handle, after all retries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFailure {
    /// The segment stops, visibly, until a person has it resumed: it misses nothing and does nothing meanwhile.
    #[default]
    Stop,
    /// The event is skipped, and kept as a dead letter that can be replayed. Later events of its entity are handled without it.
    SkipToDeadLetters,
    /// Later events of the entity are held back until it is replayed; those of all other entities go on.
    ParkEntity,
}
