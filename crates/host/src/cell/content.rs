/// What stands for the content of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The schema version of the command.
    pub schema_version: u32,
    /// The fingerprint of the command.
    pub fingerprint: u64,
}
