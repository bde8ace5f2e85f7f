/// The transaction that a change belongs to.
#[derive(Clone, Copy)]
pub(super) struct Marked<'a> {
    /// What only this transaction has in its setting `actum.tx`: the server forgets it with the transaction.
    pub(super) mark: &'a str,
    /// How long it may be idle behind the change, in milliseconds: until its commit comes.
    pub(super) idle_max: &'a str,
}
