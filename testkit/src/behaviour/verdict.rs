/// What a closure in a `then_…_with` says: nothing, having made its own assertions, or whether it agrees.
pub trait Verdict {
    /// Whether it agrees.
    fn agrees(self) -> bool;
}

impl Verdict for () {
    fn agrees(self) -> bool {
        true
    }
}

impl Verdict for bool {
    fn agrees(self) -> bool {
        self
    }
}
