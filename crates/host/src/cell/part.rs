/// What part a command has in the changes its answer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It saw them, and is never stored itself.
    Saw,
    /// Its own are among them.
    Wrote,
}
